"""The choices of the form that starts a job."""

from __future__ import annotations

from collections.abc import Sequence

from app.i18n import N_, Tongue
from app.views.job import make_levels
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES, kind_name, said
from app.views.settings import Option
from app.views.voices import voice_options
from domain.catalog.voices import VoiceLine
from domain.production.queries.projects import ProjectLine, RecipeLine

GATE_KINDS = ("script", "narrate", "illustrate", "compose", "mux", "check")
"""Where a job may stop for a person; a recipe without one of these steps simply does not stop there."""


def make_choices(
    tongue: Tongue, project: ProjectLine, recipes: Sequence[RecipeLine], voices: Sequence[VoiceLine] = ()
) -> dict[str, Sequence[Option]]:
    """Recipes with what they make, the languages the project speaks, who can speak them, how a job runs and stops."""
    languages = [Option(tag, said(tongue, LANGUAGE_NAMES, tag)) for tag in project.languages]
    return {
        "recipe": [Option(line.slug, line.name, _note(tongue, line)) for line in recipes],
        "language": [Option("", tongue.gettext("The recipe’s own")), *languages],
        "voice": voice_options(tongue, voices),
        "mode": [
            Option("auto", tongue.gettext("Run through"), tongue.gettext("The job runs to its end by itself.")),
            Option("wizard", tongue.gettext("Step by step"), tongue.gettext("It stops for your decision on the way.")),
        ],
        "gates": [Option(kind, kind_name(tongue, kind), tongue.gettext(GATE_NOTES[kind])) for kind in GATE_KINDS],
        "level": list(make_levels(tongue)),
    }


GATE_NOTES = {
    "script": N_("read and edit the text"),
    "narrate": N_("hear the voice"),
    "illustrate": N_("see the pictures"),
    "compose": N_("before anything is rendered"),
    "mux": N_("see the film before its check"),
    "check": N_("see the checked film"),
}


def _note(tongue: Tongue, line: RecipeLine) -> str:
    parts = [said(tongue, PROFILE_NAMES, line.profile), tongue.gettext("about %(seconds)s s", seconds=line.seconds)]
    facts = " · ".join(part for part in parts if part)
    # A description is a sentence with an end of its own.
    return f"{line.description}{' ' if line.description.endswith(('.', '!', '?', '…')) else ' · '}{facts}".strip(" ·")
