"""Calls: their state, clock, seats, chat, history and ICE servers."""
