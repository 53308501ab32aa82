"""Access: what lets a person in, and the invite codes that do."""
