"""The product's rules and data, without web server, templates or page URLs."""
