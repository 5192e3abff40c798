"""What a job was made from: every effective value with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.i18n import N_, Tongue
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES, said
from domain.production.model import Job

SLOT_NAMES: Mapping[str, str] = {
    "prompt": N_("Prompt"),
    "voice": N_("Voice preset"),
    "ssml": N_("Speech preset"),
    "video": N_("Video preset"),
}
ORIGIN_NAMES: Mapping[str, str] = {
    "job": N_("this job"),
    "project": N_("project"),
    "recipe": N_("recipe"),
    "tenant": N_("workspace"),
    "default": N_("default"),
}
FIELD_NAMES: Mapping[str, str] = {
    "captions": N_("Captions"),
    "degree": N_("Strength of the style"),
    "duck_db": N_("Music under speech, dB"),
    "fps": N_("Frames per second"),
    "language": N_("Language"),
    "lexicon": N_("Pronunciations"),
    "logo": N_("Logo"),
    "loudness_lufs": N_("Loudness, LUFS"),
    "motion": N_("Motion of pictures"),
    "music": N_("Music"),
    "music_gain_db": N_("Music level, dB"),
    "narrator": N_("Narrator"),
    "pauses": N_("Pauses, ms"),
    "pitch": N_("Pitch"),
    "preset": N_("Kind of preset"),
    "provider": N_("Provider"),
    "quality": N_("Quality"),
    "rate": N_("Speed of speech"),
    "role": N_("Role played"),
    "say_as": N_("Read numbers and dates out"),
    "style": N_("Style"),
    "system": N_("Instructions"),
    "template": N_("Template"),
    "title_seconds": N_("Title, seconds"),
    "tone": N_("Tone"),
    "transition": N_("Transition"),
    "transition_seconds": N_("Transition, seconds"),
    "voice": N_("Voice"),
    "writer": N_("Writer"),
    "zoom": N_("Zoom over a scene"),
}
"""Field of a preset, prompt or recipe → its name on pages."""
WORDS: Mapping[str, str] = {
    "auto": N_("automatic"),
    "wizard": N_("step by step"),
    "draft": N_("draft"),
    "standard": N_("standard"),
    "high": N_("high"),
    "crossfade": N_("crossfade"),
    "none": N_("none"),
    "highlight": N_("highlighted word"),
    "word-pop": N_("word by word"),
    "sentence": N_("sentence"),
    "paragraph": N_("paragraph"),
    "scene": N_("scene"),
    "offline": N_("offline writer"),
    "voice": N_("voice"),
    "video": N_("video"),
    "ssml": N_("speech"),
}
"""Values and inner names that are words of ours; all others are shown as they are."""
LONG = 160


@dataclass(frozen=True)
class Value:
    """An effective value. `changed` marks one that differs from the recipe's own."""

    name: str
    value: str
    origin: str
    changed: bool = False
    long: bool = False


@dataclass(frozen=True)
class Part:
    """A group of values; `source` names the catalogue version they come from."""

    name: str
    source: str
    values: tuple[Value, ...]


def make_config(tongue: Tongue, job: Job) -> tuple[Part, ...]:
    """Build the parts of a job's configuration from its snapshot."""
    spec: Mapping[str, Any] = job.spec
    recipe: Mapping[str, Any] = spec.get("recipe", {})
    parts = [_job_part(tongue, job, spec, recipe)]
    for slot, name in SLOT_NAMES.items():
        if slot in spec:
            parts.append(_slot(tongue, tongue.gettext(name), spec[slot]))
    parts += _lists(tongue, spec)
    return tuple(parts)


def _job_part(tongue: Tongue, job: Job, spec: Mapping[str, Any], recipe: Mapping[str, Any]) -> Part:
    names = {
        "topic": tongue.gettext("Topic"),
        "language": tongue.gettext("Language"),
        "seconds": tongue.gettext("Length in seconds"),
        "profile": tongue.gettext("Format"),
    }
    shown = {
        "topic": str(spec.get("topic", "")),
        "language": said(tongue, LANGUAGE_NAMES, str(spec.get("language", ""))),
        "seconds": str(spec.get("seconds", "")),
        "profile": said(tongue, PROFILE_NAMES, str(spec.get("profile", ""))),
    }
    values = [_value(tongue, name, shown[key], spec.get(key) != recipe.get(key)) for key, name in names.items()]
    values.append(Value(tongue.gettext("Mode"), said(tongue, WORDS, job.mode), tongue.gettext("this job")))
    values += [
        Value(_title(tongue, key), _text(tongue, recipe[key]), tongue.gettext("recipe"))
        for key in ("tone", "writer", "narrator")
        if recipe.get(key)
    ]
    values += _by_hand(tongue, spec)
    return Part(tongue.gettext("Job"), _source(spec.get("recipe_ref", {})), tuple(values))


def _by_hand(tongue: Tongue, spec: Mapping[str, Any]) -> list[Value]:
    """How much of the timeline people have changed, and who."""
    edits = spec.get("timeline_edits", ())
    if not edits:
        return []
    count = tongue.ngettext("%(num)s change", "%(num)s changes", len(edits))
    people = ", ".join(dict.fromkeys(str(edit["by"]) for edit in edits if edit.get("by")))
    text = f"{count} · {people}" if people else count
    return [Value(tongue.gettext("Timeline"), text, tongue.gettext("this job"), changed=True)]


def _value(tongue: Tongue, name: str, value: str, changed: bool) -> Value:
    origin = tongue.gettext("this job") if changed else tongue.gettext("recipe")
    return Value(name, value, origin, changed, len(value) > LONG)


def _slot(tongue: Tongue, name: str, part: Mapping[str, Any]) -> Part:
    ref: Mapping[str, Any] = part.get("ref", {})
    origin = said(tongue, ORIGIN_NAMES, str(ref.get("origin", "recipe")))
    changed = ref.get("origin") not in (None, "recipe", "default", "tenant")
    values = [
        Value(_title(tongue, key), text, origin, changed, len(text) > LONG)
        for key, value in part.get("body", {}).items()
        if (text := _text(tongue, value))
    ]
    return Part(name, _source(ref), tuple(values))


def _lists(tongue: Tongue, spec: Mapping[str, Any]) -> list[Part]:
    titles = {"validators": tongue.gettext("Validators"), "knowledge": tongue.gettext("Knowledge")}
    parts = []
    for key, title in titles.items():
        entries = [
            Value(
                str(entry["body"].get("title") or entry["ref"]["slug"]),
                _source(entry["ref"]),
                said(tongue, ORIGIN_NAMES, str(entry["ref"].get("origin", "recipe"))),
            )
            for entry in spec.get(key, ())
        ]
        if entries:
            parts.append(Part(title, "", tuple(entries)))
    return parts


def _source(ref: Mapping[str, Any]) -> str:
    return f"{ref['slug']} v{ref['number']}" if ref else ""


def _title(tongue: Tongue, key: str) -> str:
    return tongue.gettext(FIELD_NAMES[key]) if key in FIELD_NAMES else key.replace("_", " ").capitalize()


def _text(tongue: Tongue, value: Any) -> str:
    if isinstance(value, bool):
        return tongue.gettext("yes") if value else tongue.gettext("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{said(tongue, WORDS, str(key))}: {_text(tongue, inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(tongue, inner) for inner in value)
    return "" if value is None else said(tongue, WORDS, str(value))
