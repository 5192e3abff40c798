"""The examination behind `vfos doctor`: each part answers findings, none raises."""

from __future__ import annotations

import asyncio
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adapters.embedded.stack import folder_is_writable
from adapters.settings import Settings
from app.console import CommandError, size

State = Literal["ok", "note", "warning", "fault"]
NEEDED_ENCODERS, NEEDED_FILTERS = ("libx264", "aac"), ("loudnorm", "ebur128", "scale")
LOW_DISK, NO_DISK = 5_000_000_000, 500_000_000


@dataclass(frozen=True)
class Finding:
    """What was found about one part, and how to mend it."""

    part: str
    state: State
    what: str
    fix: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Examine every part."""
    return [finding for part in PARTS for finding in part(settings)]


def database(settings: Settings) -> list[Finding]:
    """Reachable as all roles, newest schema, tenants kept apart."""
    from adapters.database import DatabaseError, check_database, head

    where = "embedded PostgreSQL" if "host=" in settings.database_url else "PostgreSQL"
    try:
        asyncio.run(check_database(settings))
    except DatabaseError as error:
        empty = "version none" in str(error)
        return [Finding("database", "note" if empty else "fault", str(error))]
    return [Finding("database", "ok", f"{where} answers all roles, schema {head()}")]


def redis(settings: Settings) -> list[Finding]:
    """Reachable."""
    from app.commands.common import check_redis

    try:
        check_redis(settings)
    except CommandError as error:
        return [Finding("redis", "fault", str(error))]
    return [Finding("redis", "ok", "Redis answers")]


def ffmpeg(settings: Settings) -> list[Finding]:
    """Starts, has what the renderer needs, and really encodes a second of film."""
    try:
        program = settings.ffmpeg or _bundled_ffmpeg()
        version = _said(program, "-version").split("\n", 1)[0]
        encoders, filters = _said(program, "-encoders"), _said(program, "-filters")
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        return [Finding("ffmpeg", "fault", f"FFmpeg does not run: {error}", "set VFOS_FFMPEG to a working ffmpeg")]
    missing = [name for name in NEEDED_ENCODERS if f" {name} " not in encoders]
    missing += [name for name in NEEDED_FILTERS if f" {name} " not in filters]
    if missing:
        return [Finding("ffmpeg", "fault", f"{version} lacks {', '.join(missing)}", "unset VFOS_FFMPEG")]
    return [Finding("ffmpeg", "ok", version), _encodes(program)]


def _bundled_ffmpeg() -> str:
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _said(program: str, *arguments: str) -> str:
    done = subprocess.run([program, "-hide_banner", *arguments], capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


def _encodes(program: str) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "probe.mp4"
        source = [
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=30:duration=1",
            "-f",
            "lavfi",
            "-i",
            "sine=duration=1",
        ]
        coding = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", str(out)]
        try:
            _said(program, "-v", "error", "-nostdin", *source, *coding)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            return Finding("encoder", "fault", f"a trial film could not be encoded: {said.strip()[-200:]}")
        return Finding("encoder", "ok", f"H.264 and AAC encode (trial film {size(out.stat().st_size)})")


def fonts(settings: Settings) -> list[Finding]:
    """Every face that films are set in is there and readable."""
    from fontTools.ttLib import TTFont, TTLibError

    folder = Path(__file__).parents[1] / "adapters" / "media" / "fonts"
    found = sorted(folder.glob("*.otf")) + sorted(folder.glob("*.ttf"))
    broken = []
    for path in found:
        try:
            TTFont(path, lazy=True).close()
        except (TTLibError, OSError):
            broken.append(path.name)
    if broken or not found:
        return [
            Finding(
                "fonts", "fault", f"unreadable or missing: {', '.join(broken) or folder}", "clone the repository again"
            )
        ]
    return [Finding("fonts", "ok", f"{len(found)} faces")]


def disk(settings: Settings) -> list[Finding]:
    """VFOS_HOME can be written and has room."""
    if not folder_is_writable(settings.home):
        return [Finding("disk", "fault", f"{settings.home} cannot be written", "choose another VFOS_HOME")]
    free = shutil.disk_usage(settings.home).free
    state: State = "fault" if free < NO_DISK else "warning" if free < LOW_DISK else "ok"
    fix = "" if state == "ok" else "free some space, or move VFOS_HOME"
    return [Finding("disk", state, f"{size(free)} free in {settings.home}", fix)]


def secret_key(settings: Settings) -> list[Finding]:
    """The key file is closed to others."""
    if settings.secret_keys:
        return [Finding("secret key", "ok", "given by VFOS_SECRET_KEYS; a backup without it is useless, keep a copy")]
    path = settings.secret_key_file
    if not path.exists():
        return [Finding("secret key", "note", f"{path} will be made on first use")]
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return [Finding("secret key", "fault", f"others can read {path} (mode {mode:o})", f"chmod 600 '{path}'")]
    return [Finding("secret key", "ok", f"{path}; a backup without it is useless, keep a copy elsewhere")]


def voices(settings: Settings) -> list[Finding]:
    """The offline voice speaks a word."""
    from adapters.speech.espeak import EspeakNarrator
    from domain.production.ports import ProviderError

    narrator = EspeakNarrator()
    try:
        asyncio.run(narrator.preview("Hello.", "en"))
    except ProviderError as error:
        return [Finding("voice", "fault", f"espeak-ng does not speak: {error}", "run `make clean setup`")]
    finally:
        narrator.close()
    return [Finding("voice", "note", "draft mode: espeak-ng speaks; no key and no network are needed")]


def providers(settings: Settings) -> list[Finding]:
    """Every provider of every workspace answers to its key."""
    from adapters.database import DatabaseError

    try:
        return asyncio.run(_ask_providers(settings))
    except (DatabaseError, OSError) as error:
        return [Finding("providers", "fault", f"They could not be asked: {error}")]


async def _ask_providers(settings: Settings) -> list[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.wiring import build_runtime
    from tenants.keyring import KeyFault

    runtime = build_runtime(settings)
    try:
        return await _ask_each(runtime)
    except SQLAlchemyError as error:
        return [Finding("providers", "note", f"There are none to ask ({type(error).__name__})")]
    except KeyFault as fault:
        return [Finding("providers", "fault", str(fault), "give back the key file of this installation")]
    finally:
        await runtime.close()


async def _ask_each(runtime: Any) -> list[Finding]:
    from domain.catalog.providers import list_providers, record_test
    from tenants.directory import all_tenants
    from tenants.principal import worker_principal

    findings: list[Finding] = []
    for tenant_id, slug in await all_tenants(runtime.units):
        async with runtime.units.open(worker_principal(tenant_id)) as unit:
            rows = [row for row in await list_providers(unit) if row.enabled]
        if not rows:
            continue
        desk = runtime.open_desk()
        try:
            for row in rows:
                test = await desk.test(tenant_id, row.id)
                async with runtime.units.open(worker_principal(tenant_id)) as unit:
                    await record_test(unit, row.id, test)
                request = f" (request {test.request_id})" if test.request_id else ""
                state: State = "ok" if test.ok else "fault"
                findings.append(Finding("provider", state, f"{slug} · {row.name}: {test.said}{request}"))
        finally:
            await desk.close()
    return findings or [Finding("providers", "note", "none: everything is made on this machine, as drafts")]


PARTS: tuple[Callable[[Settings], list[Finding]], ...] = (
    database,
    redis,
    ffmpeg,
    fonts,
    disk,
    secret_key,
    voices,
    providers,
)
