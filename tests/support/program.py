"""A program with an API key: every answer it gets is held against the API's own document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from httpx import ASGITransport, AsyncClient, Response
from jsonschema import Draft202012Validator, FormatChecker
from litestar import Litestar

from app.api.document import document
from tenants.api_keys import create_key
from tenants.key_rules import OFFERED, KeyWish
from tenants.principal import Principal
from tenants.roles import Permission
from tenants.unit import Units
from tests.support.people import add_person

DOCUMENT = document()
CLOSED = {
    name: {**schema, "additionalProperties": False} if "properties" in schema else schema
    for name, schema in DOCUMENT["components"]["schemas"].items()
}
"""Shapes with the fields that the document names and no others: nothing may be answered that it does not tell."""
TEMPLATES: dict[str, re.Pattern[str]] = {
    path: re.compile(re.sub(r"\{name\}", ".+", re.sub(r"\{(?!name)\w+\}", "[^/]+", path)) + r"\Z")
    for path in sorted(DOCUMENT["paths"], key=lambda path: ("{" in path, path))
}


async def make_key(
    units: Units,
    tenant_id: UUID,
    scopes: Iterable[Permission] = OFFERED,
    projects: Iterable[UUID] | None = None,
    name: str = "nightly",
) -> str:
    """A key made by an owner of its own; its whole text."""
    person = await add_person(units, tenant_id, "owner", name="Keymaker")
    maker = Principal(tenant_id=tenant_id, kind="person", role="owner", actor_id=person, name="Keymaker")
    wish = KeyWish(name, frozenset(scopes), None if projects is None else frozenset(projects), (), timedelta(days=1))
    async with units.open(maker) as unit:
        return (await create_key(unit, wish)).text.reveal()


@dataclass
class Program:
    """Asks with its key. `done` collects the operations that have answered with success."""

    client: AsyncClient
    done: set[str] = field(default_factory=set)

    @classmethod
    def with_key(cls, app: Litestar, key: str, done: set[str] | None = None) -> Program:
        client = AsyncClient(
            transport=ASGITransport(app),
            base_url="http://testserver.local/api/v1",
            headers={"Authorization": f"Bearer {key}"},
        )
        return cls(client, set() if done is None else done)

    async def get(self, path: str, params: Mapping[str, Any] | None = None, **headers: str) -> Response:
        return await self.ask("GET", path, params=params, headers=written(headers))

    async def post(self, path: str, body: Any = None, **headers: str) -> Response:
        return await self.ask("POST", path, json=body, headers=written(headers))

    async def ask(self, verb: str, path: str, **more: Any) -> Response:
        answer = await self.client.request(verb, path, **more)
        self.done |= check(answer, verb, f"/api/v1{path.partition('?')[0]}")
        return answer


def written(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def check(answer: Response, verb: str, path: str) -> set[str]:
    """Hold an answer against the document; the operation's name when it has succeeded."""
    template = next(name for name, pattern in TEMPLATES.items() if pattern.match(path))
    operation = DOCUMENT["paths"][template][verb.lower()]
    where = f"{verb} {template} {answer.status_code}"
    if answer.status_code in (206, 304):
        assert template.endswith("}") or answer.status_code == 304, where
        return {operation["operationId"]}
    said = operation["responses"].get(str(answer.status_code))
    assert said is not None, f"{where} is not in the document: {answer.text[:300]}"
    for name, header in said.get("headers", {}).items():
        assert name in answer.headers or not header["required"], f"{where} lacks {name}"
    [(media, content)] = said["content"].items()
    if media != "application/octet-stream":
        assert answer.headers["content-type"].partition(";")[0] == media, where
        schema = {**content["schema"], "components": {"schemas": CLOSED}}
        faults = list(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(answer.json()))
        assert not faults, f"{where}: {faults[0].message} at {faults[0].json_path}"
    if media == "application/problem+json":
        told = answer.json()
        assert told["status"] == answer.status_code, where
        assert told["type"] == f"urn:vfos:problem:{told['code']}", where
    return {operation["operationId"]} if answer.is_success else set()
