"""The outside world as production sees it. Adapters implement these; `adapters/wiring.py` chooses.

All times are integers: samples at 48 kHz or frames. Money is in micro-dollars (1 USD = 1,000,000).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from domain.catalog.knowledge import Fact as Fact
from timeline.plan import RenderPlan, Segment

SAMPLE_RATE = 48_000

T = TypeVar("T")


class ProviderError(Exception):
    """A provider did not do what it was asked; subclasses say whether trying again can help.

    `sentence` is safe to show to people; `request_id` is the provider's own id of the failed call.
    """

    transient = False

    def __init__(self, provider: str, sentence: str, *, request_id: str = "", fix: str = "") -> None:
        super().__init__(sentence)
        self.provider, self.sentence, self.request_id, self.fix = provider, sentence, request_id, fix


class ProviderBusy(ProviderError):
    """The provider could not answer now (time-out, overload, lost line); trying later can help."""

    transient = True

    def __init__(
        self,
        provider: str,
        sentence: str,
        *,
        retry_after: float | None = None,
        request_id: str = "",
        fix: str = "",
    ) -> None:
        super().__init__(provider, sentence, request_id=request_id, fix=fix)
        self.retry_after = retry_after


class ProviderRefused(ProviderError):
    """The provider will never accept this request as it stands (bad input, bad key, unknown voice)."""


@dataclass(frozen=True)
class Usage:
    """What a call consumed, by unit name (tokens, characters, pictures, seconds), and its price if known."""

    units: Mapping[str, int] = field(default_factory=dict)
    micro_dollars: int | None = 0


@dataclass(frozen=True)
class Checked:
    """What a provider answered to a question that costs nothing: a sentence, and the id it gave the call."""

    sentence: str
    request_id: str = ""


@runtime_checkable
class TakesTurns(Protocol):
    """A tool that may not be asked at any moment: its provider has limits."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for a turn and keep it. Raises ProviderError where there is none; nothing has been sent then."""
        ...


def turn_of(tool: object) -> AbstractAsyncContextManager[None]:
    """A turn at a tool; one without limits may always be asked."""
    return tool.turn() if isinstance(tool, TakesTurns) else nullcontext()


OnText = Callable[[str], None]
"""Called with each piece of an answer's text as it arrives; what it raises is logged and ends the calls to it."""


# ── Script ────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class ScriptRequest:
    """What a writer is asked for. `faults` are what validators found in the previous draft, for repairs."""

    topic: str
    language: str
    seconds: int
    tone: str
    system: str
    prompt: str
    facts: Sequence[Fact]
    seed: str
    instruction: str = ""
    previous: Mapping[str, Any] | None = None
    faults: Sequence[str] = ()


@dataclass(frozen=True)
class WrittenScript:
    """A draft in the script's JSON form (domain/studio/script.py) with the provider's name and receipt."""

    script: Mapping[str, Any]
    provider: str
    model: str
    usage: Usage
    request_id: str = ""
    draft: bool = False


class ScriptWriter(Protocol):
    """Writes a script. Raises ProviderError. `model`: whose answer it is, empty where there is none to name."""

    name: str
    model: str

    @property
    def build(self) -> str:
        """Name what shapes the answers of this adapter (engine, model, own revision); part of every key."""
        ...

    async def write(self, request: ScriptRequest, on_text: OnText | None = None) -> WrittenScript: ...


# ── Speech ────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class SpeechRequest:
    """One sentence to speak: its SSML (adapters/speech/ssml.py), its shown words, and the voice.

    `style` and `role`: how the voice acts, by names of its provider; `degree`: how much of the style, in percent.
    """

    ssml: str
    words: Sequence[str]
    voice: str
    language: str
    style: str = ""
    degree: int = 100
    role: str = ""


@dataclass(frozen=True)
class SpokenWord:
    """A shown word with its samples in the sentence's audio; source: synth | aligned | interpolated."""

    text: str
    start: int
    end: int
    source: str


@dataclass(frozen=True)
class SpokenSentence:
    """Mono 16-bit 48 kHz PCM of one sentence without leading or trailing silence, and its words."""

    pcm: bytes
    words: Sequence[SpokenWord]
    provider: str
    voice: str
    usage: Usage
    request_id: str = ""
    draft: bool = False


class Narrator(Protocol):
    """Speaks sentences. Raises ProviderError."""

    name: str

    @property
    def build(self) -> str:
        """Name what shapes the answers of this adapter (engine, model, own revision); part of every key."""
        ...

    async def speak(self, request: SpeechRequest) -> SpokenSentence: ...


@dataclass(frozen=True)
class SpokenGroup:
    """What became of sentences ordered together: each one in its place, or None where `faults` says why not."""

    sentences: Sequence[SpokenSentence | None]
    usage: Usage
    faults: Mapping[int, str] = field(default_factory=dict)
    request_id: str = ""


@runtime_checkable
class GroupNarrator(Narrator, Protocol):
    """A narrator that also takes many sentences as one order, under a name that makes asking again safe.

    The same order name is made and paid once, however often it is asked for, for `order_hours`.
    """

    order_hours: float

    async def require(self, requests: Sequence[SpeechRequest]) -> None:
        """Refuse, before anything is paid, what the voice cannot say. Raises ProviderError."""
        ...

    def groups(self, requests: Sequence[SpeechRequest]) -> Sequence[Sequence[int]]:
        """Places of the sentences to be ordered together; those in no group are better spoken one by one."""
        ...

    async def speak_group(self, requests: Sequence[SpeechRequest], order: str) -> SpokenGroup:
        """Have a group spoken. `order`: 40 hexadecimal digits that name these requests and whom they are for."""
        ...

    async def forget(self, order: str) -> None:
        """Have the provider remove what it keeps of an order, once the answer is safe; never raises."""
        ...


# ── Pictures ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class PictureRequest:
    """What a picture should show. `width`×`height` is the size wanted; `seed` makes it repeatable."""

    prompt: str
    headline: str
    keywords: Sequence[str]
    language: str
    width: int
    height: int
    seed: str
    palette: str = ""
    figure: str = ""
    kicker: str = ""


@dataclass(frozen=True)
class MadePicture:
    """An encoded picture (PNG or JPEG) with its size, licence and receipt.

    `softened`: what the provider's safety rules objected to, where the picture was made from a milder prompt.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    provider: str
    usage: Usage
    licence: str = ""
    credit: str = ""
    request_id: str = ""
    draft: bool = False
    softened: str = ""


class ImageMaker(Protocol):
    """Makes one picture. Raises ProviderError. `model`: whose picture it is, empty where there is none to name."""

    name: str
    model: str

    @property
    def build(self) -> str:
        """Name what shapes the answers of this adapter (engine, model, own revision); part of every key."""
        ...

    async def make(self, request: PictureRequest) -> MadePicture: ...


@dataclass(frozen=True)
class Fallback:
    """One step down a chain: who failed, why (kind and sentence), who is asked next, and what it has cost."""

    provider: str
    then: str
    kind: str
    sentence: str
    request_id: str = ""
    usage: Usage | None = None


OnFallback = Callable[[Fallback], None]


class ImageMakers(Protocol):
    """Makers in the order they are asked; the last one always works."""

    name: str

    @property
    def build(self) -> str:
        """Name the builds of all, in order."""
        ...

    async def first(self, attempt: Callable[[ImageMaker], Awaitable[T]], tell: OnFallback) -> T:
        """Try one maker after another until one succeeds; every step down is told before the next is tried.

        Raises what the last one raises, and at once what is no plain failure (an answer that may have been paid).
        """
        ...


# ── Rendering ─────────────────────────────────────────────────────────────────────────────────────────────
Progress = Callable[[int, int], None]
"""Called with (done, total), from any thread, at most a few times a second."""


class Stopped(Exception):
    """The work was asked to stop (cancel, drain, lost lease) and has cleaned up after itself."""


@dataclass(frozen=True)
class Assets:
    """Where each asset of a plan lies on this machine: content hash → path."""

    paths: Mapping[str, Path]


@dataclass(frozen=True)
class Finding:
    """One thing the quality gate noticed. severity: error (refuses the film) | warning. Times in seconds."""

    code: str
    severity: str
    message: str
    start: float | None = None
    end: float | None = None
    measured: str = ""
    wanted: str = ""


@dataclass(frozen=True)
class Inspection:
    """What a film really is: measured facts (JSON-ready) and findings."""

    facts: Mapping[str, Any]
    findings: Sequence[Finding]

    @property
    def passed(self) -> bool:
        return all(finding.severity != "error" for finding in self.findings)


class Renderer(Protocol):
    """Turns plans into files. Each call runs in child processes, writes only `out`, and can be stopped.

    `stop` is polled; when it answers true the child is ended (≤ 5 s) and `Stopped` is raised.
    """

    @property
    def build(self) -> str:
        """Name the tools and fonts that shape the bytes; part of every node key."""
        ...

    async def render_segment(
        self,
        plan: RenderPlan,
        segment: Segment,
        assets: Assets,
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None: ...

    async def mix_sound(
        self, plan: RenderPlan, assets: Assets, out: Path, progress: Progress, stop: Callable[[], bool]
    ) -> None:
        """Write the whole film's sound as WAV (float or 24 bit), exactly `plan.sound.samples` long."""
        ...

    async def join(
        self,
        plan: RenderPlan,
        segments: Sequence[Path],
        sound: Path,
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        """Join the segments by copy, encode the sound once, write a faststart MP4."""
        ...

    def watch_key(self, plan: RenderPlan, segment: Segment) -> str:
        """Name everything but the segment's bytes that shapes what `watch` writes."""
        ...

    async def watch(self, plan: RenderPlan, segment: Segment, made: Path, out: Path, stop: Callable[[], bool]) -> None:
        """Look at a finished segment and write what was seen of it, for `inspect`."""
        ...

    async def inspect(
        self, film: Path, plan: RenderPlan | None, stop: Callable[[], bool], seen: Sequence[Path] = ()
    ) -> Inspection:
        """Measure and judge a film. `seen`: what `watch` wrote of each segment, so that these are not decoded again."""
        ...

    async def still(self, film: Path, frame: int, out: Path, width: int, height: int) -> None:
        """Write one frame as JPEG."""
        ...


# ── Objects ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Stored:
    """A file in the object store: its content hash and size in bytes."""

    sha256: str
    size: int


class ObjectStore(Protocol):
    """Content-addressed files of tenants under `{tenant}/{sha256}`; nothing is shared between tenants."""

    async def put_file(self, tenant_id: UUID, path: Path) -> Stored:
        """Hash, fsync and move a finished file into the store; the same content is stored once."""
        ...

    async def put_bytes(self, tenant_id: UUID, data: bytes) -> Stored: ...

    async def get_bytes(self, tenant_id: UUID, sha256: str) -> bytes: ...

    async def local_path(self, tenant_id: UUID, sha256: str) -> Path:
        """A readable local file with this content (fetched into a cache when the store is remote)."""
        ...

    def stream(self, tenant_id: UUID, sha256: str, start: int, length: int) -> AsyncIterator[bytes]: ...

    async def exists(self, tenant_id: UUID, sha256: str) -> bool: ...

    async def delete(self, tenant_id: UUID, sha256: str) -> None: ...

    async def delete_all(self, tenant_id: UUID) -> None:
        """Remove every file of a tenant, for good."""
        ...
