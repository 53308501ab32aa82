"""Robots: programs that call people, or each other, as ordinary clients of the public protocol.

They run in their own process (`python -m robots`), never in the server's. They use the addresses and messages
of docs/protocol.md and nothing else of the site.
"""
