"""The HTTP parts that know no handler: requests, problems, headers, templates, logs."""
