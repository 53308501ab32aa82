"""What the product knows and decides: no web server, no template, no address of a page."""
