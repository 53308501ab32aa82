"""The WebSocket protocol, the hub of open sockets, and their limits."""
