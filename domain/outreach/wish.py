"""What an endpoint may be: pure checks of its address, description and kinds of messages."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from domain.outreach.kinds import KINDS

URL_LIMIT = 1000
DESCRIPTION_LIMIT = 120
MOST = 20
"""Endpoints of one workspace."""
BACK_DAYS = 14
"""So far back can be recovered what an endpoint has missed."""
REASONS: dict[str, str] = {
    "url": "Give a whole address such as https://hooks.example.org/films, of at most 1,000 characters.",
    "url-login": "Leave user name and password out of the address: messages are proven by their signature.",
    "url-plain": "Use https. Plain http is for places that the operator allows in VFOS_EGRESS_ALLOW.",
    "url-unknown": "This host cannot be found. Check the address for typing errors.",
    "url-refused": "Requests may not go there: give a public address on port 443, or have the operator allow this "
    "one in VFOS_EGRESS_ALLOW.",
    "description": "Give at most 120 visible characters.",
    "kinds": "Choose at least one kind of message.",
    "too-many": "The workspace has 20 endpoints. Delete one that nobody uses first.",
    "missing": "This endpoint is not there any more.",
    "disabled": "The endpoint is switched off. Switch it on first.",
    "since": "Give a time within the last 14 days.",
    "lasts": "Choose one of the entries of the list.",
}
"""Why an endpoint is refused, in one sentence with a way forward."""


class WebhookRefused(Exception):
    """Raised when an endpoint cannot be made or changed this way; `reason` is a key of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


@dataclass(frozen=True)
class EndpointWish:
    """An endpoint that somebody wants."""

    url: str
    description: str
    kinds: tuple[str, ...]


def check_wish(wish: EndpointWish) -> None:
    """Let through what can be an endpoint. Raises WebhookRefused."""
    check_url(wish.url)
    if len(wish.description) > DESCRIPTION_LIMIT or not (wish.description.isprintable()):
        raise WebhookRefused("description")
    if not wish.kinds or not set(wish.kinds) <= KINDS.keys():
        raise WebhookRefused("kinds")


def check_url(url: str) -> None:
    """Let through a whole web address without credentials. Raises WebhookRefused."""
    if not 0 < len(url) <= URL_LIMIT or not url.isprintable() or any(sign.isspace() or sign in "\\#" for sign in url):
        raise WebhookRefused("url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WebhookRefused("url") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise WebhookRefused("url")
    if parts.username is not None or parts.password is not None:
        raise WebhookRefused("url-login")
