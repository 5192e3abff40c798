"""What may be a name: of people, workspaces, projects, keys and everything else that people call something."""

from __future__ import annotations

import unicodedata

UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffd")
"""Letters and signs that say nothing: fillers, the empty Braille cell, and the sign for a letter nobody could read."""


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen: blanks, joiners, fillers, marks without a letter."""
    return not any(unicodedata.category(sign)[0] in "LNPS" and sign not in UNSEEN for sign in text)


def is_name(text: str, limit: int) -> bool:
    """Whether a text can be a name: at most `limit` characters, something to be seen, nothing that steers a page."""
    return len(text) <= limit and text.isprintable() and not is_blank(text)
