"""Base classes of all handlers and sockets."""
