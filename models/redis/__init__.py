"""The only package that imports redis and hiredis: commands, scripts and pub/sub."""
