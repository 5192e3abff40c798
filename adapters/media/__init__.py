"""Frames, sound and files of films."""
