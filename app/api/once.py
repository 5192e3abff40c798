"""Requests that make something: asked twice with one key, done once and answered the same (Idempotency-Key)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from litestar import Response
from pydantic import BaseModel

from app.api.problems import ApiProblem, misread
from app.api.shapes import Shape
from app.site import AnyRequest
from tenants.idempotency import Answered, InFlight, KeyReused, answered_before, keep_answer
from tenants.unit import Unit

HEADER = "Idempotency-Key"
LONGEST = 200


@dataclass(frozen=True)
class Once:
    """One request by its key and by what it asks for."""

    key: str
    request_hash: str

    @classmethod
    def of(cls, request: AnyRequest, key: str | None, data: BaseModel) -> Once:
        """Read the key. Raises ApiProblem without one, or with one that cannot be used."""
        if key is None or not key.strip():
            detail = f"Send {HEADER} with 1 to {LONGEST} visible signs that are new for each thing you want made."
            raise ApiProblem(400, "idempotency-key", "An idempotency key is needed", detail)
        if len(key) > LONGEST or not (key.isascii() and key.isprintable()):
            raise misread([(HEADER, f"Use 1 to {LONGEST} visible ASCII signs")])
        asked = json.dumps(data.model_dump(mode="json"), sort_keys=True)
        text = f"{request.method} {request.scope['path']}\n{asked}"
        return cls(key, hashlib.sha256(text.encode()).hexdigest())

    async def before(self, unit: Unit) -> Response[Any] | None:
        """What was answered to this key within a day; None when it is new. Raises ApiProblem."""
        try:
            found = await answered_before(unit, self.key, self.request_hash)
        except InFlight:
            detail = "A request with this key is being answered at this moment. Ask again in a second."
            headers = {"Retry-After": "1"}
            raise ApiProblem(409, "in-flight", "Still at work on this", detail, headers) from None
        except KeyReused:
            detail = f"This {HEADER} has been used for another request within a day. Use a new one."
            raise ApiProblem(422, "key-reused", "The key was used for something else", detail) from None
        return None if found is None else _respond(found, {"Idempotency-Replayed": "true"})

    async def keep(self, unit: Unit, made: Shape, location: str) -> Response[Any]:
        """Answer 201, and keep the answer in the same transaction as what was made."""
        answered = Answered(201, location, made.model_dump_json())
        await keep_answer(unit, self.key, self.request_hash, answered)
        return _respond(answered, {})


def _respond(answered: Answered, headers: dict[str, str]) -> Response[Any]:
    return Response(
        answered.body.encode(),
        status_code=answered.status,
        media_type="application/json",
        headers={"Location": answered.location, **headers},
    )
