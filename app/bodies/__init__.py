"""Forms of the bodies of catalogue items: one list of entries per kind, and reading what people gave."""
