"""Ringing: call invites from the first ring to their one outcome."""
