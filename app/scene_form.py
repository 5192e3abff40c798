"""The form that changes one scene: its text becomes sentences, and every fault is told at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.forms import FormFault, hidden_characters
from app.i18n import Tongue
from domain.catalog.words import sentences_of
from domain.production.commands.edit_script import SENTENCE_LIMIT, SENTENCES_LIMIT, check_edits
from domain.production.commands.redo_step import INSTRUCTION_LIMIT
from domain.studio.script import Scene

FIELDS = ("scene", "text", "seen", "idem_key")
TEXT_LIMIT = SENTENCE_LIMIT * SENTENCES_LIMIT


@dataclass(frozen=True)
class SceneForm:
    """A posted form. `seen` marks the text that the person has seen the preview of."""

    scene: str
    text: str
    seen: str
    idem_key: str


def read_scene_form(values: Mapping[str, str]) -> SceneForm:
    return SceneForm(*(values.get(name, "") for name in FIELDS))


def mark_of(text: str) -> str:
    """A short mark by which a text is known again."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def split_text(text: str, scene: Scene) -> list[str]:
    """Split a text into sentences: a line ends one, and a longer line is split where its sentences end.

    A line that the scene says already stays whole, however it is written.
    """
    said = {sentence.text for sentence in scene.sentences}
    found: list[str] = []
    for line in text.splitlines():
        if line.strip() in said:
            found.append(line.strip())
        else:
            found += [re.sub(r"\s+", " ", sentence).strip() for sentence in sentences_of(line)]
    return found


def check_scene(tongue: Tongue, values: Mapping[str, str], scene: Scene) -> list[FormFault]:
    """Everything wrong with the form, in the person's language."""
    faults = [
        FormFault("", tongue.gettext("The form has no field “%(name)s”.", name=name[:60]))
        for name in values
        if name not in FIELDS
    ]
    text = values.get("text", "")
    sentences = split_text(text, scene)
    if not sentences:
        return [*faults, _fault(tongue.gettext("The scene is empty. Write at least one sentence."))]
    faults += [*_check_length(tongue, text, sentences), *_check_signs(tongue, text)]
    for number, sentence in enumerate(sentences, start=1):
        faults += _check_sentence(tongue, number, sentence)
    if not faults and sentences == [sentence.text for sentence in scene.sentences]:
        faults.append(_fault(tongue.gettext("Nothing is changed. Change the text, or go back.")))
    if not faults and check_edits({scene.id: sentences}):
        faults.append(_fault(tongue.gettext("The text has characters that cannot be read aloud. Remove them.")))
    return faults


def check_instruction(tongue: Tongue, values: Mapping[str, str]) -> list[FormFault]:
    """Everything wrong with the form that asks for another script."""
    text = values.get("instruction", "")
    faults = [
        FormFault("", tongue.gettext("The form has no field “%(name)s”.", name=name[:60]))
        for name in values
        if name != "instruction"
    ]
    if not text.strip():
        faults.append(
            FormFault("instruction", tongue.gettext("The instruction is empty. Say what should be different."))
        )
    if len(text) > INSTRUCTION_LIMIT:
        said = tongue.gettext(
            "The instruction has %(length)s characters; at most %(limit)s are allowed. Shorten it.",
            length=tongue.number(len(text)),
            limit=tongue.number(INSTRUCTION_LIMIT),
        )
        faults.append(FormFault("instruction", said))
    return faults + [FormFault("instruction", fault.text) for fault in _check_signs(tongue, text)]


def visible(text: str) -> str:
    """A refused text as it is shown again: without signs that nobody can see."""
    return "".join(sign for sign in text[: TEXT_LIMIT * 2] if sign.isprintable() or sign in "\n\t")


def _fault(text: str) -> FormFault:
    return FormFault("text", text)


def _check_length(tongue: Tongue, text: str, sentences: Sequence[str]) -> list[FormFault]:
    if len(sentences) <= SENTENCES_LIMIT and len(text) <= TEXT_LIMIT:
        return []
    return [
        _fault(
            tongue.gettext(
                "The scene has %(count)s sentences and %(length)s characters; at most %(most)s sentences of "
                "%(limit)s characters are allowed. Shorten it.",
                count=tongue.number(len(sentences)),
                length=tongue.number(len(text)),
                most=SENTENCES_LIMIT,
                limit=tongue.number(SENTENCE_LIMIT),
            )
        )
    ]


def _check_signs(tongue: Tongue, text: str) -> list[FormFault]:
    if not (hidden := hidden_characters(text)):
        return []
    place, name = hidden[0]
    return [
        _fault(
            tongue.gettext(
                "The text has a control character (%(name)s) at position %(place)s. Remove it; plain text and line "
                "breaks are fine.",
                name=name,
                place=place,
            )
        )
    ]


def _check_sentence(tongue: Tongue, number: int, sentence: str) -> list[FormFault]:
    if not any(sign.isalnum() for sign in sentence):
        return [
            _fault(
                tongue.gettext(
                    "Sentence %(number)s has no word that can be read aloud: “%(shown)s”. Write words or delete it.",
                    number=number,
                    shown=sentence[:40],
                )
            )
        ]
    if len(sentence) > SENTENCE_LIMIT:
        return [
            _fault(
                tongue.gettext(
                    "Sentence %(number)s has %(length)s characters; at most %(limit)s are allowed. Split it in two.",
                    number=number,
                    length=tongue.number(len(sentence)),
                    limit=tongue.number(SENTENCE_LIMIT),
                )
            )
        ]
    return []
