"""Accounts: sign-up, sign-in, credentials, recovery, export and deletion."""
