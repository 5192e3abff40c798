"""Content-addressed object storage."""
