"""Providers of workspaces at work: opened with their keys when they are asked, closed with the worker."""
