"""What the factory does."""
