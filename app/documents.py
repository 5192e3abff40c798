"""Timeline documents as plain files: read, measured, resolved, compiled; no database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.media.errors import MediaError
from adapters.media.probe import FilmFacts, PictureFacts, probe
from domain.production.ports import Assets
from timeline.captions.reading import read_captions
from timeline.document import Asset, Document
from timeline.faults import Fault, Findings, TimelineError
from timeline.loading import MAX_BYTES, parse, read_plain
from timeline.media import Media, MediaWord
from timeline.mending import further, mended
from timeline.outputs import ProfileUse, profile_of
from timeline.plan import RenderPlan
from timeline.profiles import Profile
from timeline.resolve import resolve
from timeline.resolved import ResolvedTimeline


@dataclass(frozen=True)
class Compiled:
    """A document ready to be rendered for one profile; `assets` says where its files are."""

    document: Document
    resolved: ResolvedTimeline
    plan: RenderPlan
    assets: Assets
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A document read, measured and resolved for one profile; parts of it can be compiled as often as wanted."""

    document: Document
    resolved: ResolvedTimeline
    profile: Profile
    use: ProfileUse | Profile
    assets: Assets
    media: Mapping[str, Media]
    values: Mapping[str, Any] | None = None

    def others(self) -> list[Opened]:
        """The same for every further profile of the document. Raises TimelineError."""
        uses = [use for use in self.document.profiles if use.id != self.profile.id]
        return [_resolved(self.document, use.id, self.media, self.assets, self.values) for use in uses]

    def compile(self, span: tuple[int, int] | None = None) -> Compiled:
        """Compile all of it, or the frames [first, stop) of `span`. Raises TimelineError with every fault."""
        from adapters.media.renderer import FfmpegRenderer
        from adapters.wiring import film_fonts
        from timeline.compile import compile_plan

        told = Findings()
        build = FfmpegRenderer().build
        plan = compile_plan(self.resolved, self.use, film_fonts(), build, told=told, span=span)
        return Compiled(self.document, self.resolved, plan, self.assets, told.warnings)


def open_file(path: Path, profile: str = "", values: Mapping[str, Any] | None = None) -> Opened:
    """Read and resolve a document for `profile` (default: its first). Raises TimelineError with every fault."""
    data = read_plain(read(path))
    try:
        document = parse(data, values)
    except TimelineError as error:
        raise TimelineError([*error.faults, *_behind(data, error.faults, path, values)]) from None
    return _opened(document, path, profile, values)


def _opened(document: Document, path: Path, profile: str, values: Mapping[str, Any] | None) -> Opened:
    chosen_profile(document, profile or document.profiles[0].id)
    media, files = measure(document, path.absolute().parent)
    return _resolved(document, profile or document.profiles[0].id, media, Assets(files), values)


def _resolved(
    document: Document, profile: str, media: Mapping[str, Media], assets: Assets, values: Mapping[str, Any] | None
) -> Opened:
    use = chosen_profile(document, profile)
    resolved = resolve(document, media, values, profile=use if isinstance(use, ProfileUse) else None)
    own = profile_of(use) if isinstance(use, ProfileUse) else use
    return Opened(document, resolved, own, use, assets, media, values)


def _behind(
    data: Any, faults: Sequence[Fault], path: Path, values: Mapping[str, Any] | None, profile: str = ""
) -> list[Fault]:
    """What else is wrong behind faults of a document's form, as far as that can be told."""
    whole = mended(data, faults) if isinstance(data, dict) else None
    if whole is None:
        return []
    try:
        _opened(parse(whole, values), path, profile, values).compile()
    except TimelineError as error:
        return further(faults, error.faults)
    return []


def compile_file(path: Path, profile: str = "", values: Mapping[str, Any] | None = None) -> Compiled:
    """Read and compile a document for `profile` (default: its first). Raises TimelineError with every fault."""
    return open_file(path, profile, values).compile()


def chosen_profile(document: Document, name: str) -> ProfileUse | Profile:
    """The document's own profile of that name, else the built-in one. Raises TimelineError when there is none."""
    from timeline.compile import find_profile

    own = next((use for use in document.profiles if use.id == name), None)
    return own or find_profile(name)


def read(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The file's bytes. Raises TimelineError when it cannot be read or is too large."""
    try:
        if path.stat().st_size > limit:
            raise TimelineError([Fault(code="E_SYNTAX", message=f"{path} is larger than {limit // 2**20} MiB.")])
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror})."
        raise TimelineError([Fault(code="E_FILE", message=message, fix="Check the path.")]) from error


def measure(document: Document, folder: Path) -> tuple[dict[str, Media], dict[str, Path]]:
    """Measure every asset; answer facts by alias and files by content hash. Raises TimelineError with every fault.

    Addresses of assets are paths of local files, relative to the document's folder.
    """
    media: dict[str, Media] = {}
    files: dict[str, Path] = {}
    faults: list[Fault] = []
    for alias, asset in document.assets.items():
        pointer = f"/assets/{alias}"
        try:
            path = local_file(asset.uri, folder)
            media[alias] = measured(asset, path, folder)
            files[media[alias].sha256] = path
        except OSError as error:
            message = f"The file {asset.uri} cannot be read ({error.strerror or error})."
            faults.append(Fault(code="E_FILE", message=message, path=pointer, fix="Correct uri or add the file."))
        except MediaError as error:
            faults.append(Fault(code="E_FILE", message=error.sentence, path=pointer, fix=error.fix))
        except ValueError as error:
            faults.append(Fault(code="E_FILE", message=str(error), path=pointer))
    if faults:
        raise TimelineError(faults)
    return media, files


def local_file(uri: str, folder: Path) -> Path:
    """The path of an asset's file. Raises ValueError for what is no local file."""
    scheme, found, rest = uri.partition("://")
    if found and scheme != "file":
        raise ValueError(f"{uri[:80]} is not a local file: save it beside the document and give its path.")
    return folder / (rest if found else uri)


def measured(asset: Asset, path: Path, folder: Path) -> Media:
    """What a file is, by its content; words from the file the asset names."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if asset.kind == "lut" or path.suffix.lower() == ".cube":
        return Media(sha256, "lut", media_type="text/x-cube")
    facts = probe(path)
    if isinstance(facts, PictureFacts):
        return Media(sha256, "image", width=facts.width, height=facts.height)
    words = read_words(local_file(asset.words, folder)) if asset.words else ()
    if isinstance(facts, FilmFacts):
        rate = facts.sound.rate if facts.sound else 0
        return Media(sha256, "video", facts.width, facts.height, facts.duration, rate, words)
    return Media(sha256, "audio", duration=facts.duration, sample_rate=facts.rate, words=words)


def read_words(path: Path) -> tuple[MediaWord, ...]:
    """Spoken words of a sound: a JSON list of {text, start, end, sentence[, source]}, samples at 48 kHz."""
    try:
        if path.suffix.lower() in (".srt", ".vtt"):
            return tuple(read_captions(path.read_text(encoding="utf-8-sig", errors="replace")))
        entries: list[Mapping[str, Any]] = json.loads(path.read_bytes())
        return tuple(MediaWord(**entry) for entry in entries)
    except TimelineError as error:
        raise ValueError(f"{path.name}: {error.faults[0].message}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path.name} is no list of words: each needs text, start, end and sentence (samples at 48 kHz)."
        ) from error
