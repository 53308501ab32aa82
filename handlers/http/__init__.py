"""The HTTP layer below the handlers: requests, problems, headers, templates, logs."""
