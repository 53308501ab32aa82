"""What every handler and socket builds on."""
