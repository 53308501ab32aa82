"""What needs no session: home, health, static files."""
