"""Tasks that run side by side: in the background, a few at a time, one for each key, or once for a tick."""
