"""The benchmarks behind the README's figures, run by `make bench`.

README.md describes the method and the results.
"""
