"""Checks of the site's environment: this machine and the operator's services."""
