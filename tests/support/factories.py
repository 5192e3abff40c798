"""Rows for tests and for looking at pages: a workspace with jobs in every state, made without running anything."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tempfile
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import imageio_ffmpeg
import numpy as np
from PIL import Image

from domain.catalog.bodies import check_body, digest_body
from domain.catalog.commands import create_project
from domain.catalog.model import CatalogItem, CatalogVersion, Project
from domain.dispatch.model import Attempt, Step, StepDep
from domain.production.model import Artifact, ArtifactRef, Job, LogChunk
from domain.production.ports import ObjectStore
from domain.usage.model import Effect
from tenants.directory import create_tenant
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.unit import Unit, Units

KINDS = ("script", "narrate", "illustrate", "compose", "render", "mux", "check", "package")
RECIPE = {
    "steps": [
        {"kind": kind, "needs": [KINDS[place - 1]] if place else []}
        for place, kind in enumerate(KINDS)
        if kind != "render"
    ],
    "prompt": "documentary",
    "voice": "narrator",
    "video": "documentary",
    "ssml": "calm",
    "description": "A calm documentary with real photographs",
    "seconds": 60,
}


@dataclass
class Workspace:
    """A seeded workspace."""

    units: Units
    store: ObjectStore
    tenant_id: UUID
    slug: str
    owner: Principal
    project: Project
    numbers: int = 0
    jobs: dict[str, Job] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"/w/{self.slug}/p/{self.project.slug}/jobs"


def owner_of(tenant_id: UUID) -> Principal:
    return Principal(tenant_id=tenant_id, kind="person", role="owner", name="Marina Rocha")


async def seed_workspace(
    units: Units, store: ObjectStore, slug: str = "northlight", name: str = "Northlight Studio"
) -> Workspace:
    """Make a workspace with one project and two recipes, and no jobs."""
    tenant_id = await create_tenant(units, slug, name)
    owner = owner_of(tenant_id)
    async with units.open(owner) as unit:
        project = await create_project(
            unit, "deep-sky", "Deep Sky", languages=["en", "pt-BR"], tagline="Documentary · en, pt-BR"
        )
        await create_project(unit, "bedtime-atlas", "Bedtime Atlas", languages=["en"], tagline="Stories · en")
        _recipe(unit, "documentary", "Documentary", RECIPE)
        _recipe(
            unit,
            "short",
            "Short",
            {**RECIPE, "profile": "shorts-9x16", "seconds": 45, "description": "One idea, upright"},
        )
    return Workspace(units, store, tenant_id, slug, owner, project)


def _recipe(unit: Unit, slug: str, name: str, body: Mapping[str, Any]) -> None:
    item = CatalogItem(id=uuid7(), kind="recipe", slug=slug, name=name, current=1)
    checked = check_body("recipe", body)
    unit.session.add(item)
    unit.session.add(CatalogVersion(item_id=item.id, number=1, body=checked, digest=digest_body(checked)))


# ── Jobs ──────────────────────────────────────────────────────────────────────────────────────────────────
async def seed_jobs(space: Workspace, now: datetime | None = None) -> None:
    """Make a running, a failed, a finished and a queued job."""
    moment = now or datetime.now(UTC)
    space.jobs["done"] = await finished_job(space, moment - timedelta(hours=2))
    space.jobs["failed"] = await failed_job(space, moment - timedelta(minutes=50))
    space.jobs["running"] = await running_job(space, moment)
    space.jobs["queued"] = await queued_job(space, moment)


async def add_job(unit: Unit, space: Workspace, title: str, state: str, **values: Any) -> Job:
    """Add a job's own row."""
    space.numbers += 1
    spec = {
        "topic": title,
        "language": "en",
        "seconds": 60,
        "profile": "longform-16x9",
        "recipe": RECIPE,
        "recipe_ref": {"kind": "recipe", "slug": "documentary", "number": 1, "digest": "0" * 64, "origin": "job"},
        "voice": {
            "ref": {"kind": "preset", "slug": "narrator", "number": 3, "digest": "1" * 64, "origin": "project"},
            "body": {"preset": "voice", "provider": "espeak", "voice": "en-gb", "language": "en", "rate": "-5%"},
        },
        "project": {"id": str(space.project.id), "slug": space.project.slug, "name": space.project.name},
        "prompt": _part("prompt", "documentary", {"template": "{{ topic }}"}),
        "ssml": _part("preset", "calm", {"preset": "ssml"}),
        "video": _part("preset", "documentary", {"preset": "video"}),
        "knowledge": [
            {
                "ref": {"kind": "knowledge", "slug": "hubble", "number": 1, "digest": "2" * 64, "origin": "recipe"},
                "body": {"title": "The Hubble Deep Field", "language": "en", "tier": 2, "tags": [], "text": "…"},
            }
        ],
        "validators": [],
    }
    job = Job(
        id=uuid7(),
        project_id=space.project.id,
        number=await unit.take_number(f"job:{space.project.id}"),
        seq=await unit.take_number("job"),
        title=title,
        recipe_slug="documentary",
        recipe_version=1,
        state=state,
        spec=spec,
        spec_hash=hashlib.sha256(title.encode()).hexdigest(),
        made_by_name="Marina Rocha",
        quote={"micro_dollars": 0},
        **values,
    )
    unit.session.add(job)
    await unit.session.flush()
    unit.emit("job.created", job_id=job.id, project_id=space.project.id, number=job.number)
    return job


def _part(kind: str, slug: str, body: Mapping[str, Any]) -> dict[str, Any]:
    ref = {"kind": kind, "slug": slug, "number": 1, "digest": "3" * 64, "origin": "recipe"}
    return {"ref": ref, "body": check_body(kind, body)}


async def add_steps(
    unit: Unit, job: Job, states: Sequence[tuple[str, str, str]], start: datetime, **values: Any
) -> dict[tuple[str, str], Step]:
    """Add steps as (kind, shard, state), one after the other in time; answer them by kind and shard."""
    steps: dict[tuple[str, str], Step] = {}
    moment, previous = start, None
    for ordinal, (kind, shard, state) in enumerate(states):
        took = timedelta(seconds=4 + 3 * (ordinal % 5))
        begun = state not in ("blocked", "ready")
        step = Step(
            id=uuid7(),
            job_id=job.id,
            project_id=job.project_id,
            pool="io",
            kind=kind,
            shard=shard,
            ordinal=ordinal,
            state=state,
            job_seq=job.seq,
            attempt=1 if begun else 0,
            ready_at=moment if begun or state == "ready" else None,
            started_at=moment + timedelta(milliseconds=300) if begun else None,
            finished_at=moment + took if state in ("succeeded", "dead") else None,
            **values,
        )
        unit.session.add(step)
        await unit.session.flush()
        if begun:
            ended = step.finished_at
            unit.session.add(
                Attempt(
                    step_id=step.id,
                    number=1,
                    fence=1,
                    started_at=step.started_at,
                    ended_at=ended,
                    outcome={"succeeded": "succeeded", "dead": "failed"}.get(state),
                )
            )
            moment = ended or moment
        if previous is not None:
            unit.session.add(StepDep(step_id=step.id, needs_id=previous.id))
        previous, steps[kind, shard] = step, step
    await unit.session.flush()
    return steps


async def add_log(unit: Unit, job: Job, step: Step, texts: Sequence[tuple[str, str, str]], start: datetime) -> None:
    """Add log lines as (level, group, text) of a step's first attempt."""
    lines = [
        {"at": (start + timedelta(milliseconds=740 * n)).isoformat(), "level": level, "group": group, "text": text}
        for n, (level, group, text) in enumerate(texts)
    ]
    unit.session.add(
        LogChunk(job_id=job.id, first=job.log_lines + 1, count=len(lines), step_id=step.id, attempt=1, lines=lines)
    )
    job.log_lines += len(lines)
    await unit.session.flush()


async def add_output(
    unit: Unit,
    space: Workspace,
    job: Job,
    step: Step,
    name: str,
    role: str,
    body: bytes,
    media_type: str,
    position: int = 0,
    **facts: Any,
) -> str:
    """Store bytes and add them as a job's output; answer the hash."""
    stored = await space.store.put_bytes(space.tenant_id, body)
    if await unit.session.get(Artifact, (space.tenant_id, stored.sha256)) is None:
        unit.session.add(Artifact(sha256=stored.sha256, size=stored.size, media_type=media_type, facts={}))
        await unit.session.flush()
    unit.session.add(
        ArtifactRef(
            job_id=job.id,
            name=name,
            step_id=step.id,
            sha256=stored.sha256,
            role=role,
            position=position,
            facts=facts,
        )
    )
    await unit.session.flush()
    return stored.sha256


async def add_effect(unit: Unit, job: Job, step: Step, provider: str, micro_dollars: int | None) -> None:
    unit.session.add(
        Effect(
            effect_key=hashlib.sha256(f"{job.id}{step.id}{provider}".encode()).hexdigest(),
            job_id=job.id,
            step_id=step.id,
            step_kind=step.kind,
            provider=provider,
            request_hash="0" * 64,
            state="done",
            micro_dollars=micro_dollars,
            fence=1,
        )
    )
    await unit.session.flush()


async def queued_job(space: Workspace, now: datetime) -> Job:
    async with space.units.open(space.owner) as unit:
        job = await add_job(unit, space, "Why is the night sky dark?", "queued")
        states = [("script", "", "ready"), *((kind, "", "blocked") for kind in KINDS[1:] if kind != "render")]
        await add_steps(unit, job, states, now)
        return job


async def running_job(space: Workspace, now: datetime) -> Job:
    """A job in the middle of rendering."""
    async with space.units.open(space.owner) as unit:
        start = now - timedelta(minutes=1, seconds=12)
        job = await add_job(
            unit,
            space,
            "How far can we see into the universe?",
            "running",
            started_at=start,
            eta_p50=now + timedelta(minutes=9),
            cost_limit=6_000_000,
        )
        shards = [(f"{n:02d}", "succeeded") for n in range(1, 7)] + [
            ("07", "running"),
            ("08", "ready"),
            ("09", "ready"),
        ]
        states = [(kind, "", "succeeded") for kind in KINDS[:4]]
        states += [("render", shard, state) for shard, state in shards]
        states += [(kind, "", "blocked") for kind in ("mux", "check", "package")]
        steps = await add_steps(unit, job, states, start)
        steps["render", "07"].done, steps["render", "07"].total = 83, 150
        await _logs(unit, job, steps, start)
        await _early_outputs(unit, space, job, steps)
        await add_effect(unit, job, steps["illustrate", ""], "aurora", 1_620_000)
        await add_effect(unit, job, steps["narrate", ""], "voices", 480_000)
        await add_effect(unit, job, steps["script", ""], "writer", 310_000)
        unit.emit("job.state", job_id=job.id, project_id=job.project_id, state="running")
        return job


async def failed_job(space: Workspace, now: datetime) -> Job:
    async with space.units.open(space.owner) as unit:
        job = await add_job(
            unit, space, "The moons of Jupiter", "failed", started_at=now, finished_at=now + timedelta(seconds=26)
        )
        states = [("script", "", "succeeded"), ("narrate", "", "dead")]
        states += [(kind, "", "blocked") for kind in KINDS[2:] if kind != "render"]
        steps = await add_steps(unit, job, states, now)
        steps["narrate", ""].error = {
            "sentence": "The voice espeak/en-xx is not installed.",
            "next": "Choose another voice preset and try again.",
            "provider": "espeak",
            "request_id": "7f3c1e",
        }
        steps["narrate", ""].error_class = "ProviderRefused"
        job.error = steps["narrate", ""].error
        texts = [
            ("info", "", "Voice preset narrator v3, 24 sentences"),
            ("warn", "s1", "The provider answered slowly, attempt 2 of 4"),
            ("error", "s1", "The voice espeak/en-xx is not installed."),
        ]
        await add_log(unit, job, steps["narrate", ""], texts, now + timedelta(seconds=5))
        return job


async def finished_job(space: Workspace, now: datetime) -> Job:
    """A job whose film can be played."""
    async with space.units.open(space.owner) as unit:
        job = await add_job(
            unit,
            space,
            "The Hubble Deep Field: ten days of looking at nothing",
            "succeeded",
            started_at=now,
            finished_at=now + timedelta(minutes=2, seconds=41),
        )
        states = [(kind, "", "succeeded") for kind in KINDS[:4]]
        states += [("render", f"{n:02d}", "succeeded") for n in range(1, 7)]
        states += [(kind, "", "succeeded") for kind in KINDS[5:]]
        steps = await add_steps(unit, job, states, now)
        await _logs(unit, job, steps, now, final=True)
        await _early_outputs(unit, space, job, steps)
        film = make_film()
        await add_output(
            unit,
            space,
            job,
            steps["mux", ""],
            "film.mp4",
            "film",
            film,
            "video/mp4",
            seconds=4.0,
            width=640,
            height=360,
        )
        thumbnail = make_picture(99, 640, 360)
        await add_output(unit, space, job, steps["package", ""], "thumbnail.jpg", "thumbnail", thumbnail, "image/jpeg")
        manifest = {"job": job.number, "steps": {kind: {"version": 1, "outputs": ["…"]} for kind in KINDS}}
        body = json.dumps(manifest, indent=1).encode()
        await add_output(unit, space, job, steps["package", ""], "manifest.json", "manifest", body, "application/json")
        unit.emit("job.state", job_id=job.id, project_id=job.project_id, state="succeeded")
        return job


async def _logs(
    unit: Unit, job: Job, steps: Mapping[tuple[str, str], Step], start: datetime, final: bool = False
) -> None:
    await add_log(
        unit,
        job,
        steps["script", ""],
        [
            ("info", "", "Prompt documentary@2 filled, 214 words of knowledge from 3 documents"),
            ("info", "", "Offline writer: outline of 6 scenes"),
            ("info", "", "Validator reading-time passed: 61 s (needs 50 to 75)"),
        ],
        start,
    )
    await add_log(
        unit,
        job,
        steps["narrate", ""],
        [
            ("info", "s1", "Sentence 1 spoken, 3.84 s"),
            ("warn", "s1", "Sentence 2 is longer than planned by 0.4 s"),
            ("info", "s2", "Sentence 7 spoken, 2.10 s"),
        ],
        start + timedelta(seconds=5),
    )
    shard = steps["render", "06"]
    await add_log(
        unit, job, shard, [("info", "", f"Frames {n * 30} of 150") for n in range(1, 6)], start + timedelta(seconds=40)
    )
    if not final:
        shard = steps["render", "07"]
        texts = [("info", "", f"Frames {n * 30} of 150") for n in range(1, 3)]
        await add_log(unit, job, shard, texts, start + timedelta(seconds=52))


async def _early_outputs(unit: Unit, space: Workspace, job: Job, steps: Mapping[tuple[str, str], Step]) -> None:
    script = b"# The Hubble Deep Field\n\nFor ten days, a telescope looked at nothing.\n"
    await add_output(
        unit, space, job, steps["script", ""], "script.md", "script", script, "text/markdown; charset=utf-8", words=142
    )
    await add_output(
        unit, space, job, steps["narrate", ""], "narration.wav", "narration", make_sound(), "audio/wav", seconds=3.0
    )
    for number in range(1, 7):
        picture = make_picture(number)
        name = f"pictures/s{number}.jpg"
        step = steps["illustrate", ""]
        await add_output(unit, space, job, step, name, "picture", picture, "image/jpeg", number, width=320, height=180)
    cues = b"WEBVTT\n\n00:00.000 --> 00:02.000\nFor ten days\n"
    await add_output(unit, space, job, steps["compose", ""], "captions.en.vtt", "captions", cues, "text/vtt", cues=1)


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────
def make_picture(seed: int, width: int = 320, height: int = 180) -> bytes:
    """A small JPEG of a sky: gradient and stars."""
    random = np.random.default_rng(seed)
    top, bottom = random.integers(5, 60, 3), random.integers(60, 200, 3)
    mix = np.linspace(0, 1, height)[:, None, None]
    sky = np.broadcast_to((1 - mix) * top + mix * bottom, (height, width, 3)).astype(np.uint8).copy()
    for _ in range(60):
        sky[random.integers(0, height), random.integers(0, width)] = 255
    out = io.BytesIO()
    Image.fromarray(sky).save(out, "JPEG", quality=80)
    return out.getvalue()


def make_sound(seconds: float = 3.0, rate: int = 48000) -> bytes:
    """A WAV whose loudness rises and falls like speech."""
    time = np.arange(int(seconds * rate)) / rate
    tone = (
        np.sin(2 * np.pi * 180 * time)
        * (0.2 + 0.8 * np.abs(np.sin(2 * np.pi * 1.7 * time)))
        * np.sin(np.pi * time / seconds)
    )
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((tone * 16000).astype("<i2").tobytes())
    return out.getvalue()


def make_film() -> bytes:
    """A real MP4 of four seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        picture = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=4"]
        sound = ["-f", "lavfi", "-i", "sine=frequency=220:duration=4"]
        coding = [
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-movflags",
            "+faststart",
        ]
        argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *picture, *sound, *coding, str(path)]
        subprocess.run(argv, check=True, timeout=60)
        return path.read_bytes()
