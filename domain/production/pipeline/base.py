"""The step contract: what a step kind is, what it is given, and what it hands back.

A step kind is one module of this package, listed in `STEP_KINDS`, that fulfils `StepKind`:

    KIND = "narrate"            # the word used in recipes, rows, pages and tests
    VERSION = 1                 # raise it when equal inputs would give other outputs
    POOL = "io"                 # the class of workers that runs it
    FAN_OUT = False             # true: never made with the job, only spawned (one step per shard)

    def key(work): ...          # everything that shapes the outputs, or None = never reuse
    def cost(spec, step): ...   # estimated seconds of one slot
    async def prepare(ctx): ... # optional: rows the key depends on; the answer becomes work.found
    async def run(ctx): ...     # do it; no transaction is open meanwhile

The engine reuses a whole step when `key` has been seen before in the tenant: outputs, artifacts and spawned steps
come back and `run` is not called. Inside `run`, `ctx.made_once` does the same for the parts of a step, and
`ctx.effects.perform` guards each paid or outward call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

from domain.production.ports import ImageMakers, Narrator, ObjectStore, Renderer, ScriptWriter, Usage
from tenants.unit import Unit

Json = Mapping[str, Any]
T = TypeVar("T")


# ── What a step is given ──────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class JobInfo:
    """The job a step belongs to; `spec` is the snapshot of every choice (domain/production/spec.py)."""

    id: UUID
    number: int
    title: str
    project_id: UUID
    project_slug: str
    spec: Json


@dataclass(frozen=True)
class StepInfo:
    """The step itself. `salt` is empty until a person asks for a regeneration; `fence` names this try."""

    id: UUID
    kind: str
    shard: str = ""
    spec: Json = field(default_factory=dict)
    attempt: int = 1
    fence: int = 1
    instruction: str = ""
    salt: str = ""


@dataclass(frozen=True)
class Work:
    """Everything that may shape a step's outputs.

    `inputs`: outputs of every step that this one rests on (directly or not), by kind; steps of a fan-out kind are in
    `shards[kind][shard]` instead. `build` names the tools (renderer, fonts); `found` is what `prepare` answered.
    """

    tenant_id: UUID
    job: JobInfo
    step: StepInfo
    inputs: Mapping[str, Json]
    shards: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    build: str = ""
    found: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Tools:
    """The outside, as chosen by adapters/wiring.py for this worker. `build` names what shapes bytes.

    `fit` answers the tools for a job: those of its workspace's providers where it has chosen any.
    """

    store: ObjectStore
    writer: ScriptWriter
    narrator: Narrator
    images: ImageMakers
    renderer: Renderer
    build: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    fit: Callable[[Tools, Work], Awaitable[Tools]] | None = None

    async def fitted(self, work: Work) -> Tools:
        """The tools for a step's job."""
        return self if self.fit is None else await self.fit(self, work)


# ── What a step hands back ────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class NewStep:
    """A step to be added to the job (fan-out). `cost` in seconds of one slot."""

    kind: str
    shard: str
    spec: Json = field(default_factory=dict)
    cost: float = 1.0


@dataclass(frozen=True)
class StepResult:
    """What a step has made.

    `outputs`: small JSON for the steps that rest on this one. `spawn`: steps to add; the steps of the kinds in
    `before` will additionally wait for all of them. `units`: amount of work done (seconds of film, sentences …)
    for duration statistics; 0 = unknown. `lesser`: in what way this is less than what was asked for (a fallback stood
    in); such a result is not reused, and stops for a person where the recipe says so.
    """

    outputs: Json
    spawn: Sequence[NewStep] = ()
    before: Sequence[str] = ()
    units: float = 0.0
    lesser: str = ""


@dataclass(frozen=True)
class StoredFile:
    """A file that is safe in the object store."""

    sha256: str
    size: int
    media_type: str
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True)
class NewFile:
    """A file just made, still in staging (or in memory)."""

    content: Path | bytes
    media_type: str
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Product:
    """What a `make` function hands back: files by name, and small results."""

    files: Mapping[str, NewFile] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True)
class MadeThing:
    """Something made now or found; `reused` says which."""

    files: Mapping[str, StoredFile]
    facts: Json
    reused: bool


# ── What a step can ask for ───────────────────────────────────────────────────────────────────────────────
class Effects(Protocol):
    """The ledger of paid and outward calls."""

    async def perform(
        self,
        *,
        provider: str,
        model: str = "",
        request: Json,
        call: Callable[[], Awaitable[T]],
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        usage: Callable[[T], Usage] | None = None,
        idempotent: bool = False,
        ref: str = "",
        amount: Mapping[str, int] | None = None,
    ) -> T:
        """Make a call once: record the intent, call, keep the raw answer, record the cost.

        `ref`: the provider's own name of the call, where it is known beforehand; `amount`: what it will consume.

        The same request of the same step finds the recorded answer instead of calling again, also in a later
        attempt and after a crash. `idempotent`: asking again is safe and free (offline tools, or a provider that
        honours an idempotency key); otherwise a call whose outcome is unknown raises `InDoubt` and waits for a
        person.
        """
        ...


class StepContext(Protocol):
    """All a running step may touch. Methods without `async` may be called from any thread."""

    @property
    def work(self) -> Work: ...

    @property
    def tools(self) -> Tools: ...

    @property
    def effects(self) -> Effects: ...

    def stop(self) -> bool:
        """Answer whether the work must end now (cancel, drain, lost lease); then raise `ports.Stopped`."""
        ...

    def progress(self, done: int, total: int, stage: str = "") -> None:
        """Say how far the step is; written at most twice a second."""
        ...

    def log(self, text: str, level: str = "info", group: str = "") -> None:
        """Add a line to the job's log. level: info | warn | error. `group` folds lines (a scene, a segment)."""
        ...

    def event(self, event_type: str, **data: Any) -> None:
        """Record an event on the job with the next write (fallbacks, findings)."""
        ...

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """Open a short unit of work as the factory inside the job's tenant."""
        ...

    async def artifact(
        self,
        name: str,
        role: str,
        content: Path | bytes | StoredFile,
        media_type: str = "",
        facts: Json | None = None,
        position: int = 0,
    ) -> StoredFile:
        """Keep a file as an output of the job under a readable `name` (unique in the job, `pictures/s3.jpg`).

        Becomes visible when the step succeeds; the same name from a later run of the step replaces it. Small
        `bytes` are held and stored after `run`, before the step is settled; `local` and `read` know them already.
        """
        ...

    async def made_once(self, kind: str, parts: Json, make: Callable[[Path], Awaitable[Product]]) -> MadeThing:
        """Find what `kind` and `parts` have made before in this tenant, else make and record it.

        `parts` names everything that shapes the result, the tool build included. `make` gets a fresh staging
        folder. Counted on the step as reused or made.
        """
        ...

    async def local(self, sha256: str) -> Path:
        """A readable local file of the tenant's stored content."""
        ...

    async def read(self, sha256: str) -> bytes: ...


class StepKind(Protocol):
    """The form of a step module."""

    KIND: str
    VERSION: int
    POOL: str
    FAN_OUT: bool

    def key(self, work: Work) -> Json | None: ...

    def cost(self, spec: Json, step: Json) -> float:
        """Estimate seconds of one slot from the job's spec and the step's own."""
        ...

    async def run(self, ctx: StepContext) -> StepResult: ...
