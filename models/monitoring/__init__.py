"""Faults of the site's surroundings that no request reports: TURN, certificate, Redis, disk."""
