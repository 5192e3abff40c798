"""Narrators."""
