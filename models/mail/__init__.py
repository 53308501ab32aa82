"""E-mail: addresses, the operator's mail server, and sending; alerts to the staff."""
