"""Edits of a timeline and what is wrong with one, as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.forms import FormFault
from app.i18n import N_, Tongue
from app.views import cut_words as words
from app.views.marks import said
from timeline.faults import Fault

_SIMPLE: Mapping[str, str] = {
    "trim-start": N_("%(item)s: start moved by %(frames)s"),
    "trim-end": N_("%(item)s: end moved by %(frames)s"),
    "length": N_("%(item)s: %(frames)s long"),
    "move": N_("%(item)s: moved by %(frames)s"),
    "reorder": N_("%(item)s: put behind %(after)s"),
    "reorder-first": N_("%(item)s: put first"),
    "split": N_("%(item)s: split after %(frames)s"),
    "delete": N_("%(item)s: deleted"),
    "transition-start": N_("%(item)s: begins with %(kind)s, %(frames)s"),
    "transition-end": N_("%(item)s: ends with %(kind)s, %(frames)s"),
    "cut-start": N_("%(item)s: begins with a plain cut"),
    "cut-end": N_("%(item)s: ends with a plain cut"),
    "motion": N_("%(item)s: movement %(kind)s"),
    "effect": N_("%(item)s: effect %(kind)s"),
    "effect-off": N_("%(item)s: effect %(kind)s taken away"),
    "asset": N_("%(item)s: another picture"),
    "text": N_("%(item)s: text changed"),
    "place": N_("%(item)s: place %(kind)s"),
    "gain": N_("%(item)s: loudness %(gain)s dB"),
    "fades": N_("%(item)s: fades changed"),
    "captions": N_("Captions: %(kind)s"),
    "captions-off": N_("Captions: switched off"),
}


def say_edit(tongue: Tongue, operation: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """One edit in a sentence."""
    key = _key(operation)
    if key not in _SIMPLE:
        return tongue.gettext("A change that is unknown here (%(kind)s)", kind=str(operation.get("op", ""))[:60])
    frames = int(operation.get("frames") or operation.get("at") or 0)
    values = {
        "item": words.item_name(tongue, names, str(operation.get("item", ""))),
        "after": words.item_name(tongue, names, str(operation.get("after", ""))),
        "frames": _frames(tongue, frames, signed=key in ("trim-start", "trim-end", "move")),
        "kind": _kind(tongue, operation),
        "gain": str(operation.get("gain_db", "")),
    }
    return tongue.gettext(_SIMPLE[key], **values)


def _key(operation: Mapping[str, Any]) -> str:
    op, edge = str(operation.get("op", "")), str(operation.get("edge", ""))
    if op == "transition":
        return f"{'cut' if operation.get('kind') == 'none' else op}-{edge or 'end'}"
    if op == "trim":
        return f"{op}-{edge}"
    if op in ("effect", "captions") and operation.get("on") is False:
        return f"{op}-off"
    return f"{op}-first" if op == "reorder" and not operation.get("after") else op


def _frames(tongue: Tongue, frames: int, *, signed: bool) -> str:
    told = tongue.ngettext("%(count)s frame", "%(count)s frames", abs(frames), count=tongue.number(abs(frames)))
    return f"{'+' if frames > 0 else '−' if frames < 0 else ''}{told}" if signed else told


def _kind(tongue: Tongue, operation: Mapping[str, Any]) -> str:
    tables: Mapping[str, tuple[Mapping[str, str], str]] = {
        "transition": (words.TRANSITION_NAMES, "kind"),
        "motion": (words.MOTION_NAMES, "motion"),
        "effect": (words.EFFECT_NAMES, "effect"),
        "place": (words.CORNER_NAMES, "anchor"),
        "captions": (words.CAPTION_NAMES, "effect"),
    }
    table, field = tables.get(str(operation.get("op")), ({}, "op"))
    return said(tongue, table, str(operation.get(field, "")))


# ── Faults ────────────────────────────────────────────────────────────────────────────────────────────────
FAULTS: Mapping[str, str] = {
    "E_ZERO_LENGTH": N_("Something would last less than a frame."),
    "E_BEFORE_START": N_("It would start before the film."),
    "E_AFTER_END": N_("It would lie beyond the end of the film."),
    "E_OVERLAP": N_("It would lie over its neighbour. Move or shorten the neighbour first."),
    "E_SOURCE_RANGE": N_("The file has no more to give there."),
    "E_TRANSITION_TOO_LONG": N_("The transition is too long for the pictures beside it."),
    "E_TRANSITION_PLACE": N_("A transition needs a picture on both sides that touch each other."),
    "E_TRANSITION_KIND": N_("Sounds can only crossfade."),
    "E_HANDLE": N_("The file has too little beyond the cut for this transition."),
    "E_FADE_TOO_LONG": N_("The fades last longer than the item."),
    "E_UNKNOWN_REF": N_("The item is not there, or something else hangs on it."),
    "E_UNKNOWN_ASSET": N_("The picture is not there."),
    "E_ASSET_KIND": N_("This item shows no picture that could be replaced."),
    "E_GLYPH": N_("The text has a character that no typeface of ours can show."),
    "E_LOCKED": N_("The track is locked."),
    "E_VALUE": N_("A value is outside what is allowed."),
    "E_OPERATION": N_("The change is not complete, or a value is outside what is allowed."),
    "E_UNKNOWN_EDIT": N_("This version of the program does not know this change; a newer one may."),
    "E_EDIT": N_("This cannot be done to this item."),
    "E_TOO_LONG": N_("The film would be too long."),
}


_QUOTED = re.compile(r"'([\w.~-]{1,120})'")


def say_fault(tongue: Tongue, fault: Fault, names: Mapping[str, str]) -> str:
    """A fault for people: in English exactly what is wrong, in other languages what kind of thing."""
    if tongue.language == "en":
        return _QUOTED.sub(lambda found: _named(tongue, names, found), f"{fault.message} {fault.fix}".strip())
    text = said(tongue, FAULTS, fault.code if fault.code in FAULTS else "E_EDIT")
    allowed = [word for word in fault.allowed if word.endswith("f") and word[:-1].isdigit()]
    most = tongue.gettext("At most %(frames)s frames.", frames=allowed[0][:-1]) if allowed else ""
    return f"{text} {most}".strip()


def _named(tongue: Tongue, names: Mapping[str, str], quoted: re.Match[str]) -> str:
    """An item as the page calls it in the place of its id; what is none stays quoted."""
    name = words.item_name(tongue, names, quoted[1])
    return quoted[0] if name == quoted[1] else f"“{name}”"


def form_faults(tongue: Tongue, faults: Sequence[Fault], names: Mapping[str, str]) -> list[FormFault]:
    """Faults as those of a form, each once."""
    told = dict.fromkeys(say_fault(tongue, fault, names) for fault in faults if fault.severity == "error")
    return [FormFault("", text) for text in told]
