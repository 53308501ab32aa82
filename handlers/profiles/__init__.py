"""Profiles: what others see of a user (name, picture, intro video, handles)."""
