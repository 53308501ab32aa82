"""Decisions about users: their clauses, their e-mails, removals, and appeals by hand-over."""
