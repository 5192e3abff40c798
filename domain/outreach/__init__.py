"""Webhooks and notifications."""
