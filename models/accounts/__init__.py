"""Accounts: signing up and in, credentials, recovery, export and deletion."""
