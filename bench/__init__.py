"""What the README says about speed, measured anew by `make bench`; how, and what came out, says README.md."""
