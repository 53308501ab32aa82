"""Settings: the record, and how it is read and checked."""
