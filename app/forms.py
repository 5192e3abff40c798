"""Forms: read once, checked whole, every fault told at once and in the person's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, ValidationError

from app.errors import TooLarge
from app.i18n import Tongue
from app.site import AnyRequest
from domain.production.commands.new_job import hidden_places

LIMIT = 512_000
"""Bytes of the largest form we read."""


@dataclass(frozen=True)
class FormFault:
    """One thing wrong: the field's name (or empty for the form as a whole) and a sentence with the fix."""

    field: str
    text: str


@dataclass(frozen=True)
class FormState:
    """A form as it is shown: what was entered, and what is wrong with it."""

    values: Mapping[str, str]
    faults: Sequence[FormFault] = field(default=())

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def fault_of(self, name: str) -> str:
        return " ".join(fault.text for fault in self.faults if fault.field == name)


class FormModel(BaseModel):
    """Base of form models: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


async def read_form(request: AnyRequest) -> dict[str, str]:
    """The fields of a posted form, without the session's own token. Raises TooLarge."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > LIMIT:
        raise TooLarge
    data = await request.form()
    return {str(name): str(value).replace("\r\n", "\n") for name, value in data.items() if name != "csrf"}


def unknown_fields(tongue: Tongue, model: type[FormModel], values: Mapping[str, str]) -> list[FormFault]:
    """Faults for fields that the form does not have."""
    try:
        model.model_validate(dict(values))
    except ValidationError as error:
        return [
            FormFault("", tongue.gettext("The form has no field “%(name)s”.", name=str(fault["loc"][0])[:60]))
            for fault in error.errors()
            if fault["type"] == "extra_forbidden"
        ]
    return []


def hidden_characters(text: str) -> list[tuple[int, str]]:
    """Positions (from 1) and names of control characters that a person cannot have meant."""
    return [(place + 1, f"U+{ord(text[place]):04X}") for place in hidden_places(text)]
