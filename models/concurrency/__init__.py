"""Tasks that run side by side: in the background, a few at a time, or one for each key."""
