"""What may be a name: of people, workspaces, projects, keys and everything else that people call something."""

from __future__ import annotations

import unicodedata

UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffd")
"""Letters and signs that say nothing: fillers, the empty Braille cell, and the sign for a letter nobody could read."""

JOINING = frozenset("\u200c\u200d")
"""What joins signs of a pictogram and shapes letters of Persian and of India; between other signs nobody means it."""


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen: blanks, joiners, fillers, marks without a letter."""
    return not any(unicodedata.category(sign)[0] in "LNPS" and sign not in UNSEEN for sign in text)


def is_name(text: str, limit: int) -> bool:
    """Whether a text can be a name: at most `limit` characters, something to be seen, nothing that steers a page."""
    steers = any(not sign.isprintable() and not _joins(text, place) for place, sign in enumerate(text))
    return len(text) <= limit and not steers and not is_blank(text)


def _joins(text: str, place: int) -> bool:
    """Whether the sign at a place joins what stands on both sides of it."""
    if text[place] not in JOINING or not 0 < place < len(text) - 1:
        return False
    before, after = unicodedata.category(text[place - 1]), unicodedata.category(text[place + 1])
    return before in ("Lo", "Mn", "Mc", "So", "Sk") and after in ("Lo", "So")
