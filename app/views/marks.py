"""How states look: colour, icon and word, always together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.i18n import N_, Tongue


@dataclass(frozen=True)
class Mark:
    """A state as shown: `st` is one of run, ok, wait, bad, idle."""

    st: str
    icon: str
    word: str


JOB_MARKS: Mapping[str, tuple[str, str, str]] = {
    "draft": ("idle", "circle-dashed", N_("Draft")),
    "queued": ("idle", "clock", N_("Queued")),
    "running": ("run", "loader-circle", N_("Running")),
    "waiting_approval": ("wait", "hand", N_("Needs approval")),
    "paused": ("wait", "circle-pause", N_("Paused")),
    "cancelling": ("wait", "ban", N_("Cancelling")),
    "cancelled": ("idle", "ban", N_("Cancelled")),
    "succeeded": ("ok", "circle-check", N_("Done")),
    "failed": ("bad", "circle-x", N_("Failed")),
}
STEP_MARKS: Mapping[str, tuple[str, str, str]] = {
    "blocked": ("idle", "circle-dashed", N_("waiting")),
    "ready": ("idle", "clock", N_("in the queue")),
    "running": ("run", "loader-circle", N_("running")),
    "delayed": ("wait", "timer", N_("will be tried again")),
    "held": ("wait", "circle-pause", N_("paused")),
    "waiting_approval": ("wait", "hand", N_("waiting for a person")),
    "succeeded": ("ok", "circle-check", N_("done")),
    "dead": ("bad", "circle-x", N_("failed")),
    "cancelled": ("idle", "ban", N_("cancelled")),
}
STAGE_ORDER = ("running", "dead", "waiting_approval", "delayed", "held", "ready", "blocked", "cancelled", "succeeded")
"""Of several steps of a kind, the first of these states speaks for all."""

KIND_NAMES: Mapping[str, str] = {
    "script": N_("Script"),
    "narrate": N_("Voice"),
    "illustrate": N_("Pictures"),
    "compose": N_("Timeline"),
    "sound": N_("Sound"),
    "render": N_("Video"),
    "mux": N_("Assemble"),
    "check": N_("Check"),
    "package": N_("Package"),
}
KIND_ORDER = tuple(KIND_NAMES)
KIND_ICONS: Mapping[str, str] = {
    "script": "scroll-text",
    "narrate": "audio-lines",
    "illustrate": "image",
    "compose": "layers",
    "sound": "music",
    "render": "film",
    "mux": "film",
    "check": "shield-check",
    "package": "receipt-text",
}
LANGUAGE_NAMES: Mapping[str, str] = {"en": N_("English"), "pt-BR": N_("Portuguese (Brazil)")}
PROFILE_NAMES: Mapping[str, str] = {
    "longform-16x9": N_("Landscape, 16:9"),
    "shorts-9x16": N_("Portrait, 9:16"),
}


def job_mark(tongue: Tongue, state: str) -> Mark:
    st, icon, word = JOB_MARKS[state]
    return Mark(st, icon, tongue.gettext(word))


def step_mark(tongue: Tongue, state: str) -> Mark:
    st, icon, word = STEP_MARKS[state]
    return Mark(st, icon, tongue.gettext(word))


def kind_name(tongue: Tongue, kind: str) -> str:
    """The word for a step kind; an unknown kind is shown as it is written in the recipe."""
    return tongue.gettext(KIND_NAMES[kind]) if kind in KIND_NAMES else kind.replace("-", " ").capitalize()


PART_NAMES: Mapping[str, str] = {"sound": N_("sound")}
PROGRAM_NAMES: Mapping[str, str] = {
    "": N_("the factory"),
    "factory": N_("the factory"),
    "command line": N_("command line"),
    "first start": N_("first start"),
}


def part_name(tongue: Tongue, shard: str) -> str:
    """A part of a step as people read it: most are numbers and ids of scenes."""
    return said(tongue, PART_NAMES, shard)


def maker_name(tongue: Tongue, name: str) -> str:
    """Who did something, by their own name; programs have theirs in the reader's language."""
    return said(tongue, PROGRAM_NAMES, name)


def said(tongue: Tongue, names: Mapping[str, str], key: str) -> str:
    """Translate a name from one of the tables above; an unknown key is shown as it is."""
    return tongue.gettext(names[key]) if key in names else key


def stage_state(states: Iterable[str]) -> str:
    """The one state that speaks for all steps of a kind."""
    present = set(states)
    if present == {"succeeded", "ready"} or present == {"succeeded", "blocked"}:
        return "ready" if "ready" in present else "blocked"
    return next((state for state in STAGE_ORDER if state in present), "blocked")


def order_kinds(recipe: Iterable[str], present: Mapping[str, int]) -> list[str]:
    """The kinds of a job in their order of work: the recipe's, with spawned kinds where the house order puts them.

    `present` maps kinds of existing steps to their lowest ordinal.
    """
    kinds = list(dict.fromkeys(recipe))
    for kind in sorted(present.keys() - set(kinds), key=lambda k: present[k]):
        kinds.insert(_place(kinds, kind, present), kind)
    return kinds


def _place(kinds: list[str], kind: str, present: Mapping[str, int]) -> int:
    if kind in KIND_ORDER:
        later = KIND_ORDER[KIND_ORDER.index(kind) + 1 :]
        return next((place for place, known in enumerate(kinds) if known in later), len(kinds))
    return next(
        (place for place, known in enumerate(kinds) if present.get(known, 0) > present[kind]),
        len(kinds),
    )
