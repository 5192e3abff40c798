"""Reads shaped for screens: flat records, a fixed number of statements however many rows."""
