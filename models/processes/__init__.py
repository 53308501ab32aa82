"""Worker processes and the embedded servers; used only by server.py."""
