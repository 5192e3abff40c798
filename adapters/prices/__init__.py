"""What providers charge: dated price files, one per provider, and the exact sum of a call."""
