"""The choices of the form that starts a job."""

from __future__ import annotations

from collections.abc import Sequence

from app.i18n import Tongue
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES, said
from app.views.settings import Option
from domain.production.queries.projects import ProjectLine, RecipeLine


def make_choices(tongue: Tongue, project: ProjectLine, recipes: Sequence[RecipeLine]) -> dict[str, list[Option]]:
    """Recipes with what they make, and the languages the project speaks."""
    languages = [Option(tag, said(tongue, LANGUAGE_NAMES, tag)) for tag in project.languages]
    return {
        "recipe": [Option(line.slug, line.name, _note(tongue, line)) for line in recipes],
        "language": [Option("", tongue.gettext("The recipe’s own")), *languages],
    }


def _note(tongue: Tongue, line: RecipeLine) -> str:
    parts = [said(tongue, PROFILE_NAMES, line.profile), tongue.gettext("about %(seconds)s s", seconds=line.seconds)]
    return " · ".join(part for part in (line.description, *parts) if part)
