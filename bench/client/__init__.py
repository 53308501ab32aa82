"""The load: users, their connections, and what they send."""
