"""Metrics, experiments and feedback."""
