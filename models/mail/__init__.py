"""E-mail: addresses, the operator's mail server, and sending."""
