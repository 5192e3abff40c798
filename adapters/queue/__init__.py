"""Redis as a wake-up and a hint, never as the truth."""
