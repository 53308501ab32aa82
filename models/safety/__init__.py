"""Safety: blocks, reports, bans and appeals."""
