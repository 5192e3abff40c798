"""How the spoken word shows on a page. Adding an effect = a file here, a line below, a golden test."""

from __future__ import annotations

from timeline.captions.effects import highlight, none, word_pop
from timeline.captions.effects.base import Effect

EFFECTS: dict[str, Effect] = {
    "none": none.draw,
    "highlight": highlight.draw,
    "word-pop": word_pop.draw,
}
