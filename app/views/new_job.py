"""The choices of the form that starts a job."""

from __future__ import annotations

from collections.abc import Sequence

from app.i18n import Tongue
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES, said
from app.views.settings import Option
from app.views.voices import voice_options
from domain.catalog.voices import VoiceLine
from domain.production.queries.projects import ProjectLine, RecipeLine


def make_choices(
    tongue: Tongue, project: ProjectLine, recipes: Sequence[RecipeLine], voices: Sequence[VoiceLine] = ()
) -> dict[str, Sequence[Option]]:
    """Recipes with what they make, the languages the project speaks, and who can speak them."""
    languages = [Option(tag, said(tongue, LANGUAGE_NAMES, tag)) for tag in project.languages]
    return {
        "recipe": [Option(line.slug, line.name, _note(tongue, line)) for line in recipes],
        "language": [Option("", tongue.gettext("The recipe’s own")), *languages],
        "voice": voice_options(tongue, voices),
    }


def _note(tongue: Tongue, line: RecipeLine) -> str:
    parts = [said(tongue, PROFILE_NAMES, line.profile), tongue.gettext("about %(seconds)s s", seconds=line.seconds)]
    return " · ".join(part for part in (line.description, *parts) if part)
