"""Scripts and stored timelines with their versions."""
