"""Security: sessions, passwords, limits, secrets and the audit log."""
