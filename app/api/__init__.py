"""The REST API for programs, `/api/v1`: one module per resource, each handler a thin call of what the pages call."""

from __future__ import annotations
