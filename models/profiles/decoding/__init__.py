"""Decoding of untrusted uploads, in child processes with limits."""
