"""Checks of what the site stands on: this machine and the operator's services."""
