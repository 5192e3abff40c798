"""Whether the validators of a recipe leave room for the length that is asked for, found before anything is made."""

from __future__ import annotations

from collections.abc import Sequence

from domain.catalog.resolution import Chosen
from domain.catalog.validators import InvalidValidator, ReadingTime, make_validator
from domain.production.errors import Fault

SPOKEN = (0.75, 1.0)
"""The narration of a good film takes between these shares of its length; the rest are pauses, lead and tail."""


def check_length(seconds: int, validators: Sequence[Chosen]) -> list[Fault]:
    """Answer one fault for every reading-time validator that no narration of this length could pass."""
    return [fault for chosen in validators if (fault := _check(seconds, chosen)) is not None]


def _check(seconds: int, chosen: Chosen) -> Fault | None:
    body = chosen.body
    if body.get("validator") != ReadingTime.kind or body.get("severity", "error") != "error":
        return None
    try:
        validator = make_validator(ReadingTime.kind, body.get("settings", {}))
    except InvalidValidator:
        return None  # the step that uses it says so with every detail
    assert isinstance(validator, ReadingTime)
    low, high = SPOKEN
    if validator.min_seconds <= seconds * high and seconds * low <= validator.max_seconds:
        return None
    message = (
        f"{seconds} seconds do not go with the validator “{chosen.slug}”: it wants narration of "
        f"{validator.min_seconds:g} to {validator.max_seconds:g} seconds."
    )
    least, most = validator.min_seconds / high, validator.max_seconds / low
    return Fault("seconds", message, f"Choose {least:.0f} to {most:.0f} seconds, or another recipe.")
