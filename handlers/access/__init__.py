"""Access: how users get access, and the invite codes that grant it."""
