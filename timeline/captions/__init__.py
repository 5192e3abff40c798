"""Captions: from spoken words to pages people can read, their look, and their files."""
