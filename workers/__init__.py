"""Runners of steps: Dramatiq entry, actors, pump."""
