"""Worker processes and the embedded servers; used by server.py only."""
