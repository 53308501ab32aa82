"""Handlers that need no session: home, health, static files."""
