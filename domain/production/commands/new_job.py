"""What a person asks for when they want a film, and what its plain fields may hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.production.errors import Fault
from domain.production.pipeline import STEP_KINDS
from tenants.names import is_blank
from timeline.profiles import PROFILES

TOPIC_LIMIT = 5000
SECONDS = (10, 3600)
MODES = ("auto", "wizard")
GATES = ("script", "narrate", "illustrate", "check")
"""Where a wizard stops when its recipe says nothing: after what people like to see, read or hear."""
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Invisible signs that change the direction of all text after them; a title must not do that to a page."""


@dataclass(frozen=True)
class NewJob:
    """What a person asks for. Empty language, profile and None seconds: the recipe's own.

    `gates`: the kinds of steps after which a job in wizard mode stops; None = the recipe's own gates, and `GATES` where
    it has none.
    """

    project: str
    recipe: str
    topic: str
    language: str = ""
    seconds: int | None = None
    profile: str = ""
    mode: str = "auto"
    idem_key: str | None = None
    cost_limit: int | None = None
    priority: int = 0
    voice: str = ""
    script_edits: Mapping[str, Any] = field(default_factory=dict)
    salt: str = ""
    gates: tuple[str, ...] | None = None


def check_fields(new: NewJob) -> list[Fault]:
    """Answer everything wrong with the plain fields of a request."""
    faults = check_topic(new.topic)
    low, high = SECONDS
    if new.seconds is not None and not low <= new.seconds <= high:
        faults.append(
            Fault("seconds", f"{new.seconds} seconds is outside {low} to {high}.", "Choose a length in between.")
        )
    if new.profile and new.profile not in PROFILES:
        fix = f"Use one of {', '.join(PROFILES)}, or leave it out."
        faults.append(Fault("profile", f"There is no profile “{new.profile[:40]}”.", fix))
    if new.mode not in MODES:
        faults.append(Fault("mode", f"“{new.mode[:40]}” is not a mode.", f"Use {' or '.join(MODES)}."))
    if new.idem_key is not None and not 1 <= len(new.idem_key) <= 200:
        faults.append(Fault("idem_key", "The idempotency key is empty or too long.", "Use 1 to 200 characters."))
    if new.mode == "wizard" and new.gates is not None and not new.gates:
        fix = "Choose one, or let the job run through."
        faults.append(Fault("gates", "The wizard needs at least one step to stop after.", fix))
    if unknown := sorted(set(new.gates or ()) - set(STEP_KINDS)):
        fix = f"Use kinds of steps: {', '.join(STEP_KINDS)}."
        faults.append(Fault("gates", f"“{unknown[0][:40]}” is no step to stop after.", fix))
    if new.cost_limit is not None and new.cost_limit < 0:
        faults.append(Fault("cost_limit", "The limit is below zero.", "Give an amount of 0 or more."))
    return faults


def check_topic(topic: str) -> list[Fault]:
    """Answer what is wrong with a topic."""
    faults = []
    hidden = hidden_places(topic)
    if is_blank(topic) and not hidden:
        faults.append(Fault("topic", "The topic is empty.", "Say in a few words what the film is about."))
    if len(topic) > TOPIC_LIMIT:
        message = f"The topic has {len(topic):,} characters; at most {TOPIC_LIMIT:,} are allowed."
        faults.append(Fault("topic", message, "Shorten it to what the film is about."))
    if hidden:
        more = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
        message = (
            f"The topic has a control character (U+{ord(topic[hidden[0]]):04X}) at position {hidden[0] + 1}{more}."
        )
        faults.append(Fault("topic", message, "Remove it; plain text and line breaks are fine."))
    return faults


def hidden_places(text: str) -> list[int]:
    """Where a text has control characters that a person cannot have meant, from 0."""
    return [
        place
        for place, sign in enumerate(text)
        if sign in TURNING or (unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\r\t")
    ]
