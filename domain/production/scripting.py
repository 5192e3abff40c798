"""The script step's own thinking: ask, read the answer, validate, ask again with the faults, give up clearly."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from domain.catalog.validators import Fault, Validator, check_script
from domain.production.ports import ScriptRequest, ScriptWriter, Usage, WrittenScript
from domain.studio.script import Scene, Script

MAX_SHOWN_FAULTS = 12
MAX_ROUNDS = 3
"""Drafts a script may take until it passes the validators."""
OnRound = Callable[[int, WrittenScript, Sequence[Fault]], None]
"""Called after each round with its number (from 1), the draft and all faults found in it."""


class ScriptRejected(Exception):
    """No draft passed the validators in the allowed rounds; `drafts` are kept, `faults` are the last draft's."""

    def __init__(self, writer: str, drafts: Sequence[WrittenScript], faults: Sequence[Fault]) -> None:
        self.drafts, self.faults = list(drafts), list(faults)
        shown = " ".join(f"({n}) {fault}" for n, fault in enumerate(self.faults[:MAX_SHOWN_FAULTS], 1))
        more = len(self.faults) - MAX_SHOWN_FAULTS
        rest = f" And {more} more." if more > 0 else ""
        rounds = "one draft" if len(self.drafts) == 1 else f"{len(self.drafts)} drafts"
        self.sentence = (
            f"The writer “{writer}” did not meet the validators in {rounds}: {shown}{rest} The last draft is kept: "
            "edit it by hand, change the validators, or run the step again with an instruction."
        )
        super().__init__(self.sentence)


async def write_script(
    writer: ScriptWriter,
    request: ScriptRequest,
    validators: Sequence[Validator],
    max_rounds: int = MAX_ROUNDS,
    on_round: OnRound | None = None,
) -> tuple[WrittenScript, Script, list[Fault]]:
    """Have a script written that passes the validators; what remains in the list are warnings.

    The receipt's `usage` covers all rounds. Raises ScriptRejected, or the writer's ProviderError.
    """
    drafts: list[WrittenScript] = []
    faults: list[Fault] = []
    for number in range(1, max(1, max_rounds) + 1):
        written = await writer.write(request)
        drafts.append(written)
        script, faults = examine(written.script, validators, request)
        if on_round:
            on_round(number, written, faults)
        errors = [fault for fault in faults if fault.severity == "error"]
        if script is not None and not errors:
            return replace(written, script=script.model_dump(mode="json"), usage=total_usage(drafts)), script, faults
        request = replace(request, previous=written.script, faults=[str(fault) for fault in errors])
    raise ScriptRejected(writer.name, drafts, [fault for fault in faults if fault.severity == "error"])


def examine(
    draft: Mapping[str, Any], validators: Sequence[Validator], request: ScriptRequest
) -> tuple[Script | None, list[Fault]]:
    """Read a draft into a Script and run the validators; a draft of the wrong form has only faults of form."""
    try:
        script = with_sound_ids(Script.model_validate(draft))
    except ValidationError as fault:
        return None, [form_fault(detail) for detail in fault.errors(include_url=False, include_input=False)]
    found = check_script(script, validators, request.facts, request.language, request.seconds)
    return script, [*text_faults(script), *found]


def form_fault(detail: Mapping[str, Any]) -> Fault:
    """A fault of form from one of pydantic's errors, with its JSON Pointer as place."""
    pointer = "".join(f"/{part}" for part in detail["loc"]) or "/"
    return Fault("form", pointer, f"{detail['msg']}.", "Give this field the form the script's schema asks for.")


def text_faults(script: Script) -> list[Fault]:
    """Sentences that cannot be spoken: control characters, or nothing that can be read aloud."""
    faults = []
    for sentence in script.sentences():
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in sentence.text):
            faults.append(Fault("control", sentence.id, "The sentence holds control characters.", "Remove them."))
        elif not any(character.isalnum() for character in sentence.text):
            faults.append(Fault("silent", sentence.id, "The sentence has nothing to say.", "Write words or delete it."))
    return faults


def with_sound_ids(script: Script) -> Script:
    """Give parts with missing or repeated ids new ones (s1, s1.1 …); sound ids stay as they are."""
    taken = Counter(scene.id for scene in script.scenes)
    used: set[str] = set()
    scenes = []
    for number, scene in enumerate(script.scenes, 1):
        new_id = _free(scene.id, f"s{number}", taken, used)
        scenes.append(_sound_sentences(scene.model_copy(update={"id": new_id})))
    spoken = Counter(sentence.id for scene in scenes for sentence in scene.sentences)
    if any(count > 1 for count in spoken.values()):
        scenes = [_numbered(scene) for scene in scenes]
    return script.model_copy(update={"scenes": scenes})


def _sound_sentences(scene: Scene) -> Scene:
    taken = Counter(sentence.id for sentence in scene.sentences)
    used: set[str] = set()
    sentences = [
        sentence.model_copy(update={"id": _free(sentence.id, f"{scene.id}.{number}", taken, used)})
        for number, sentence in enumerate(scene.sentences, 1)
    ]
    return scene.model_copy(update={"sentences": sentences})


def _numbered(scene: Scene) -> Scene:
    renamed = [s.model_copy(update={"id": f"{scene.id}.{n}"}) for n, s in enumerate(scene.sentences, 1)]
    return scene.model_copy(update={"sentences": renamed})


def _free(given: str, wanted: str, taken: Counter[str], used: set[str]) -> str:
    """Keep a given id unless it is empty or used already; then the wanted one, lengthened until it is free."""
    new = given if given.strip() and given not in used else wanted
    while new in used or (new != given and taken[new]):
        new += "x"
    used.add(new)
    return new


def total_usage(drafts: Sequence[WrittenScript]) -> Usage:
    """Sum of all rounds; the price is unknown as soon as one round's is."""
    units: Counter[str] = Counter()
    for draft in drafts:
        units.update(draft.usage.units)
    prices = [draft.usage.micro_dollars for draft in drafts]
    known = [price for price in prices if price is not None]
    return Usage(dict(units), sum(known) if len(known) == len(prices) else None)
