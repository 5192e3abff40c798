"""Flat records that templates show; no decisions about rights or money happen in templates."""
