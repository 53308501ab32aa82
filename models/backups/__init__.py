"""Backup, restore, move and upgrade of all data, without PostgreSQL's own programs."""
