"""How the spoken word shows on a page. Adding an effect = a file here, a line below, a golden test."""

from __future__ import annotations

from timeline.captions.effects import highlight, karaoke, none, one_word, word_pop
from timeline.captions.effects.base import Effect

EFFECTS: dict[str, Effect] = {
    "none": none.draw,
    "highlight": highlight.draw,
    "karaoke": karaoke.draw,
    "word-pop": word_pop.draw,
    "one-word": one_word.draw,
}
