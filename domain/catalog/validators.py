"""Validators: what a script must satisfy before anything is made from it.

Kinds are an open set with one literal registry, `KINDS`. Each kind has a typed configuration and yields faults
that name their place (`s3.2` = sentence, `s3` = scene, `script`) and a fix.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import re2
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain.catalog.knowledge import Fact
from domain.catalog.schemas import said_of, schema_faults, violations
from domain.catalog.words import number_value, plain, reading_seconds

Severity = Literal["error", "warning"]


class SentenceView(Protocol):
    """What validators need to know of a sentence."""

    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str: ...


class SceneView(Protocol):
    """What validators need to know of a scene."""

    @property
    def id(self) -> str: ...
    @property
    def sentences(self) -> Sequence[SentenceView]: ...


class ScriptView(Protocol):
    """What validators need to know of a script (domain/studio/script.py has this shape)."""

    @property
    def scenes(self) -> Sequence[SceneView]: ...
    def model_dump(self, *, mode: Literal["json", "python"] = ...) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a script: a stable code, where it is, what it is, and what would put it right."""

    code: str
    place: str
    message: str
    fix: str
    severity: Severity = "error"
    validator: str = ""

    def __str__(self) -> str:
        return f"[{self.code}] {self.place}: {self.message} {self.fix}".strip()


@dataclass(frozen=True)
class Subject:
    """A script under examination with all that checks may look at."""

    script: ScriptView
    facts: Sequence[Fact]
    language: str
    seconds: float = 0.0
    """The length that was asked for; 0 when nobody asked for one."""

    def sentences(self) -> Iterator[SentenceView]:
        for scene in self.script.scenes:
            yield from scene.sentences

    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences())


class InvalidValidator(Exception):
    """A validator's kind or configuration is wrong; `faults` names every problem with its place."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


class Validator(BaseModel):
    """Base of all kinds: an unknown setting is refused. `severity` decides whether a fault stops the script."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]
    name: str = Field(default="", max_length=120)
    severity: Severity = "error"

    @abstractmethod
    def check(self, subject: Subject) -> Iterator[Fault]: ...

    def fault(self, code: str, place: str, message: str, fix: str) -> Fault:
        return Fault(code, place, message, fix, self.severity, self.name or self.kind)


class Length(Validator):
    """Bounds on words, sentences and scenes."""

    kind = "length"
    min_words: int = Field(default=1, ge=0, le=100_000)
    max_words: int = Field(default=100_000, ge=1, le=100_000)
    max_sentence_words: int | None = Field(default=None, ge=3, le=200)
    min_scenes: int = Field(default=1, ge=1, le=400)
    max_scenes: int = Field(default=400, ge=1, le=400)

    @model_validator(mode="after")
    def _ordered(self) -> Length:
        for low, high in (("min_words", "max_words"), ("min_scenes", "max_scenes")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} is greater than {high}")
        return self

    def check(self, subject: Subject) -> Iterator[Fault]:
        words, scenes = len(subject.text().split()), len(subject.script.scenes)
        if words > self.max_words:
            message = f"The script has {words} words; at most {self.max_words} are allowed."
            yield self.fault("too_long", "script", message, f"Cut {words - self.max_words} words.")
        if words < self.min_words:
            message = f"The script has {words} words; at least {self.min_words} are wanted."
            yield self.fault("too_short", "script", message, f"Add {self.min_words - words} words.")
        if not self.min_scenes <= scenes <= self.max_scenes:
            message = f"The script has {scenes} scenes; {self.min_scenes} to {self.max_scenes} are allowed."
            yield self.fault("scenes", "script", message, "Merge or split scenes.")
        for sentence in subject.sentences() if self.max_sentence_words else ():
            count = len(sentence.text.split())
            if count > (self.max_sentence_words or count):
                message = f"The sentence has {count} words; at most {self.max_sentence_words} are allowed."
                yield self.fault("long_sentence", sentence.id, message, "Split it in two.")


class Regex(Validator):
    """A pattern (RE2: linear time, no look-around) that no sentence may, or that the script must, match."""

    kind = "regex"
    pattern: str = Field(min_length=1, max_length=1000)
    mode: Literal["forbid", "require"] = "forbid"
    ignore_case: bool = True
    message: str = Field(default="", max_length=300)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            compile_pattern(pattern)
        except re2.error as fault:
            hint = "look-around and back-references are not supported"
            raise ValueError(f"RE2 cannot read this pattern ({said_of(fault)}); {hint}") from None
        return pattern

    def check(self, subject: Subject) -> Iterator[Fault]:
        pattern = compile_pattern(self.pattern, self.ignore_case)
        if self.mode == "require":
            if not pattern.search(subject.text()):
                message = self.message or f"Nothing in the script matches “{self.pattern}”."
                yield self.fault("pattern_missing", "script", message, "Add a sentence that matches.")
            return
        for sentence in subject.sentences():
            if found := pattern.search(sentence.text):
                message = self.message or f"“{found.group(0)[:80]}” matches the forbidden pattern “{self.pattern}”."
                yield self.fault("pattern_forbidden", sentence.id, message, "Reword the sentence.")


class BannedWords(Validator):
    """Words and phrases that must not be said; accents and case make no difference, word borders do."""

    kind = "banned_words"
    words: list[str] = Field(min_length=1, max_length=2000)

    @field_validator("words")
    @classmethod
    def _meaningful(cls, words: list[str]) -> list[str]:
        if any(not word.strip() or len(word) > 100 for word in words):
            raise ValueError("each word needs 1 to 100 characters")
        return words

    def check(self, subject: Subject) -> Iterator[Fault]:
        banned = [(word, re.compile(rf"(?<!\w){re.escape(plain(word.strip()))}(?!\w)")) for word in self.words]
        for sentence in subject.sentences():
            text = plain(sentence.text)
            for word, pattern in banned:
                if pattern.search(text):
                    message = f"The banned word “{word}” occurs."
                    yield self.fault("banned_word", sentence.id, message, "Say it in other words.")


class JsonSchema(Validator):
    """A JSON Schema (2020-12) for the script's JSON form."""

    kind = "json_schema"
    schema_: dict[str, Any] = Field(alias="schema")

    @field_validator("schema_")
    @classmethod
    def _safe(cls, schema: dict[str, Any]) -> dict[str, Any]:
        if faults := schema_faults(schema):
            raise ValueError("; ".join(faults))
        return schema

    def check(self, subject: Subject) -> Iterator[Fault]:
        document = subject.script.model_dump(mode="json")
        for place, message in violations(self.schema_, document):
            yield self.fault(
                "schema", place or "script", message, "Bring this part of the script into the schema's form."
            )


class ReadingTime(Validator):
    """Bounds on the estimated time the narration takes to say, in seconds.

    `tolerance` is the share by which it may miss the length that was asked for, where one was.
    """

    kind = "reading_time"
    min_seconds: float = Field(default=0, ge=0, le=36_000)
    max_seconds: float = Field(default=36_000, gt=0, le=36_000)
    tolerance: float | None = Field(default=None, ge=0.05, le=0.95)

    def check(self, subject: Subject) -> Iterator[Fault]:
        seconds = reading_seconds(subject.text(), subject.language)
        least, most = self.bounds(subject.seconds)
        if seconds > most:
            message = f"Saying it takes about {seconds:.0f} s; at most {most:.3g} s are allowed."
            yield self.fault("too_long", "script", message, f"Cut about {max(0.01, 1 - most / seconds):.0%}.")
        if seconds < least:
            message = f"Saying it takes about {seconds:.0f} s; at least {least:.3g} s are wanted."
            yield self.fault("too_short", "script", message, f"Add about {max(1.0, least - seconds):.0f} s.")

    def bounds(self, asked: float) -> tuple[float, float]:
        """The least and the most for a length that was asked for (0: none was)."""
        if not asked or self.tolerance is None:
            return self.min_seconds, self.max_seconds
        return (
            max(self.min_seconds, asked * (1 - self.tolerance)),
            min(self.max_seconds, asked * (1 + self.tolerance)),
        )


class InventedNumbers(Validator):
    """Numbers that occur in none of the facts; whole numbers up to `free_up_to` are always allowed."""

    kind = "invented_numbers"
    free_up_to: int = Field(default=10, ge=0, le=1000)

    def check(self, subject: Subject) -> Iterator[Fault]:
        if not subject.facts:
            return
        known = {number for fact in subject.facts for number in numbers_in(fact.text, subject.language).values()}
        for sentence in subject.sentences():
            for shown, value in numbers_in(sentence.text, subject.language).items():
                if value not in known and not (value == int(value) and 0 <= value <= self.free_up_to):
                    message = f"The number {shown} is in none of the facts."
                    yield self.fault("invented_number", sentence.id, message, "Use a number from the facts or none.")


KINDS: dict[str, type[Validator]] = {
    "length": Length,
    "regex": Regex,
    "banned_words": BannedWords,
    "json_schema": JsonSchema,
    "reading_time": ReadingTime,
    "invented_numbers": InventedNumbers,
}

_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*")


def make_validator(kind: str, config: Mapping[str, Any], *, name: str = "", severity: str = "") -> Validator:
    """Build a validator from its stored form. Raises InvalidValidator naming every fault."""
    if kind not in KINDS:
        raise InvalidValidator([f"kind: “{kind}” is unknown; use one of {', '.join(KINDS)}"])
    given = {**config, **({"name": name} if name else {}), **({"severity": severity} if severity else {})}
    try:
        return KINDS[kind].model_validate(given)
    except ValidationError as fault:
        details = fault.errors(include_url=False)
        raise InvalidValidator([f"{'.'.join(map(str, d['loc'])) or kind}: {d['msg']}" for d in details]) from None


def check_script(
    script: ScriptView, validators: Sequence[Validator], facts: Sequence[Fact], language: str, seconds: float = 0.0
) -> list[Fault]:
    """Run all validators over a script; every fault of every validator is reported, errors first."""
    subject = Subject(script, facts, language, seconds)
    found = [fault for validator in validators for fault in validator.check(subject)]
    return sorted(found, key=lambda fault: fault.severity != "error")


def compile_pattern(pattern: str, ignore_case: bool = True) -> Any:
    """Compile a user's pattern with RE2 within 8 MB. Raises re2.error."""
    options = re2.Options()
    options.max_mem, options.log_errors, options.case_sensitive = 8 << 20, False, not ignore_case
    return re2.compile(pattern, options)


def numbers_in(text: str, language: str) -> dict[str, float]:
    """Numbers written in digits, as shown → value, read with the language's separators."""
    return {shown: number_value(shown, language) for shown in _NUMBER.findall(text)}
