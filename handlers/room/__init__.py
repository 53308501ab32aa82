"""The room: who is online, the queue of cards, introductions."""
