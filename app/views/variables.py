"""What a prompt's template can speak of, as its form explains it."""

from __future__ import annotations

from collections.abc import Mapping

from app.i18n import N_

VARIABLES: Mapping[str, str] = {
    "topic": N_("what the film is about"),
    "seconds": N_("its length in seconds"),
    "words": N_("about how many words fill that"),
    "tone": N_("the recipe’s tone"),
    "language": N_("the film’s language, such as pt-BR"),
    "project.name": N_("the project’s name"),
    "project.tagline": N_("its line, may be empty"),
    "facts": N_("the facts it may tell; each has id, text, source and theme"),
    "instruction": N_("what a person wants different this time, else empty"),
    "previous": N_("the draft before, else empty"),
    "audience": N_("whom it is for, may be empty"),
}
