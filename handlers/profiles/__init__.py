"""Profiles: who a person is to others (name, picture, intro video, handles)."""
