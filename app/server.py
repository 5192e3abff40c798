"""The web server: it ends open event streams as soon as it is asked to stop."""

from __future__ import annotations

from types import FrameType

import uvicorn

from app.site import Site


class WebServer(uvicorn.Server):
    """Serves a site. Streams are told at once: the server waits for them before the application hears of the end."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self.site = site

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second Ctrl-C does not wait."""
        self.site.closing = True
        super().handle_exit(sig, frame)
