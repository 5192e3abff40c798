"""Create a job: check what was asked, take a snapshot of every choice, and put its steps into the queue."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, text

from domain.catalog.bodies import RecipeBody
from domain.catalog.model import Project
from domain.catalog.providers import Given, providers_for
from domain.catalog.resolution import Resolution, Unresolved, find_recipe, nearest_recipes, resolve
from domain.catalog.vendors import VENDORS
from domain.dispatch.enqueue import Placed, place
from domain.dispatch.flows import open_flows
from domain.dispatch.locks import lock_pools
from domain.dispatch.stats import ratios
from domain.production.commands.new_job import NewJob, check_fields
from domain.production.commands.snapshot import write_spec
from domain.production.errors import Fault, InvalidInput, NotFound, WrongState
from domain.production.foresight import NO_FORESIGHT, Foreseen
from domain.production.graph import Node, check_graph, check_routes, make_nodes, route_of
from domain.production.jobs import key_of, refresh
from domain.production.lengths import check_length
from domain.production.model import Job
from domain.production.money import reserved_at_start, this_month
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from domain.production.quoting import quote_job
from domain.production.spec import JobSpec
from domain.usage.budget import JobAccount, OverBudget, dollars, open_account, write_reservation
from domain.usage.effects import hash_json
from domain.usage.quote import NoTariffs, Tariffs
from tenants.records import uuid7
from tenants.unit import Unit

TITLE_LIMIT = 120
NO_TARIFFS: Tariffs = NoTariffs()


async def create_job(
    unit: Unit,
    new: NewJob,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    tariffs: Tariffs = NO_TARIFFS,
    foreseen: Foreseen = NO_FORESIGHT,
) -> Job:
    """Create a job and its steps. The same `idem_key` answers the job made before. `tariffs` price its quote.

    `foreseen`: what its quote may rest on.

    Raises Forbidden, NotFound (project), InvalidInput (every fault at once), WrongState (key used for something else).
    """
    unit.principal.require("jobs:run")
    project = await find_project(unit, new.project)
    unit.principal.require("jobs:run", project.id)
    if (made := await _made_before(unit, new)) is not None:
        return made
    spec = await draft_spec(unit, project, new, kinds)
    return await enter_job(unit, project, spec, new, kinds, tariffs, foreseen)


async def draft_spec(unit: Unit, project: Project, new: NewJob, kinds: Mapping[str, StepKind]) -> JobSpec:
    """Check what was asked for and take a snapshot of every choice; nothing is written. Raises InvalidInput."""
    resolution, given = await _check(unit, project, new, kinds)
    return write_spec(project, resolution, new, given)


async def find_project(unit: Unit, slug: str) -> Project:
    """Load a project that is not archived. Raises NotFound."""
    found = await unit.session.execute(select(Project).where(Project.slug == slug, Project.archived_at.is_(None)))
    project = found.scalar_one_or_none()
    if project is None:
        raise NotFound("project")
    return project


async def _made_before(unit: Unit, new: NewJob) -> Job | None:
    job = await find_keyed(unit, new.idem_key)
    if job is not None and (job.spec["topic"], job.recipe_slug) != (new.topic.strip(), new.recipe):
        raise key_taken(job)
    return job


async def find_keyed(unit: Unit, idem_key: str | None) -> Job | None:
    """Find the job of a key; the lock makes a second request wait for the first one's commit."""
    if idem_key is None:
        return None
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('idem:' || :tenant || :key, 0))")
    await unit.session.execute(lock, {"tenant": str(unit.tenant_id), "key": idem_key})
    return (await unit.session.execute(select(Job).where(Job.idem_key == idem_key))).scalar_one_or_none()


def key_taken(job: Job) -> WrongState:
    """The refusal of a key that has made something else."""
    sentence = f"The idempotency key was already used for job #{job.number}, which is something else."
    return WrongState(sentence, "key-taken", number=job.number)


# ── Checking ──────────────────────────────────────────────────────────────────────────────────────────────
async def _check(unit: Unit, project: Project, new: NewJob, kinds: Mapping[str, StepKind]) -> tuple[Resolution, Given]:
    faults = check_fields(new)
    recipe = await find_recipe(unit.session, new.recipe, project.id)
    resolution: Resolution | None = None
    given = Given({}, ())
    if recipe is None:
        faults.append(await _unknown_recipe(unit, new.recipe))
    else:
        language = new.language or str(recipe.body["language"])
        faults += _check_language(project, language)
        steps = RecipeBody.model_validate(recipe.body).steps
        faults += [*check_graph(steps, kinds.keys()), *check_routes(steps)]
        try:
            resolution = await resolve(unit.session, project, recipe, language, voice=new.voice)
        except Unresolved as missing:
            faults += [
                Fault("recipe", sentence, "Save it in the catalogue or change the recipe.")
                for sentence in missing.faults
            ]
        else:
            faults += _check_voice(resolution, language)
            faults += check_length(new.seconds or resolution.recipe_body.seconds, resolution.validators)
            body = resolution.recipe_body
            named = {"writer": [body.writer], "narrator": [body.narrator], "images": body.pictures}
            given = await providers_for(unit.session, project.id, named)
            faults += [Fault("provider", sentence, fix) for sentence, fix in given.faults]
            faults += _check_speaker(resolution, given)
    if faults or resolution is None:
        raise InvalidInput(faults)
    return resolution, given


def _check_language(project: Project, language: str) -> list[Fault]:
    if language in project.languages:
        return []
    spoken = ", ".join(project.languages)
    return [Fault("language", f"The project does not speak “{language[:20]}”.", f"Use one of {spoken}.")]


def _check_voice(resolution: Resolution, language: str) -> list[Fault]:
    voice = resolution.slots["voice"]
    speaks = str(voice.body.get("language", ""))
    if speaks.split("-")[0].lower() == language.split("-")[0].lower():
        return []
    message = f"The voice “{voice.slug}” speaks {speaks}, not {language}."
    field = "voice" if voice.origin == "job" else "language"
    return [Fault(field, message, f"Choose a voice for {language}, or the language {speaks}.")]


def _check_speaker(resolution: Resolution, given: Given) -> list[Fault]:
    """A voice of a provider needs that provider; one that was chosen for this job is not exchanged for another."""
    voice = resolution.slots["voice"]
    narrator = next(iter(given.chosen.get("narrator", ())), None)
    speaks, at_work = str(voice.body.get("provider") or DRAFT_VOICE), narrator.kind if narrator else DRAFT_VOICE
    if speaks == at_work or (narrator is not None and voice.origin != "job"):
        return []
    label = VENDORS[speaks].label if speaks in VENDORS else "the draft voice"
    message = f"The voice “{voice.slug}” is spoken by {label}, which does not work for this project."
    return [Fault("voice", message, "Choose its provider for the project under Providers, or choose another voice.")]


DRAFT_VOICE = "espeak"


async def _unknown_recipe(unit: Unit, slug: str) -> Fault:
    near = await nearest_recipes(unit.session, slug)
    like = bool(difflib.get_close_matches(slug, near[:1], cutoff=0.6))
    guess = f"Did you mean “{near[0]}”? " if like else ""
    fix = f"{guess}There are: {', '.join(near)}." if near else "Save a recipe first."
    return Fault("recipe", f"There is no recipe “{slug[:80]}”.", fix)


# ── The rows ──────────────────────────────────────────────────────────────────────────────────────────────
async def enter_job(
    unit: Unit,
    project: Project,
    spec: JobSpec,
    new: NewJob,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    tariffs: Tariffs = NO_TARIFFS,
    foreseen: Foreseen = NO_FORESIGHT,
    only: Collection[str] | None = None,
) -> Job:
    """Write a job with its steps, quote, reservation, event and outbox message.

    `only`: the kinds of steps that will be made, when it is known that the others are found made before.
    Raises InvalidInput when the month's budget has no room for it; nothing is written then.
    """
    fan_out = {kind: module.FAN_OUT for kind, module in kinds.items()}
    nodes = make_nodes(spec.recipe.steps, fan_out, new.mode == "wizard")
    written = spec.model_dump(mode="json")
    pools = {route_of(written, kinds[step.kind]).pool for step in spec.recipe.steps}
    await lock_pools(unit.session, pools)
    await open_flows(unit.session, unit.tenant_id, pools)
    learned = await ratios(unit.session, spec.profile)
    quoted = (await quote_job(unit, spec, tariffs, kinds, learned, foreseen, only)).as_json()
    account, aside = JobAccount(unit.tenant_id, project.id, uuid7()), reserved_at_start(quoted, new.cost_limit)
    month = this_month()
    await _set_aside(unit, account, new.cost_limit, aside, month)
    job = await _insert_job(unit, account, spec, new, quoted)
    await write_reservation(unit.session, account, aside, month)
    await place(unit.session, key_of(job), _steps(nodes, kinds, job.spec, learned))
    unit.emit("job.created", job_id=job.id, project_id=project.id, number=job.number, title=job.title, state=job.state)
    unit.send("job.created", {"job_id": str(job.id), "number": job.number, "project": project.slug})
    await refresh(unit.session, unit.emit, job)
    return job


async def _set_aside(unit: Unit, account: JobAccount, cap: int | None, amount: int, month: str) -> None:
    try:
        await open_account(unit.session, account, cap, amount, month)
    except OverBudget as over:
        left = dollars(max(0, over.limit - over.spent - over.reserved))
        whose = "workspace" if over.scope == "workspace" else "project"
        message = f"The job should cost {dollars(amount)}, and the {whose} has {left} left this month."
        fix = f"Raise the {whose}'s monthly limit, make the film shorter, or wait for running jobs or the next month."
        raise InvalidInput([Fault("cost_limit", message, fix)]) from over


async def _insert_job(unit: Unit, account: JobAccount, spec: JobSpec, new: NewJob, quoted: Mapping[str, Any]) -> Job:
    body = spec.model_dump(mode="json")
    job = Job(
        id=account.job_id,
        tenant_id=unit.tenant_id,
        project_id=account.project_id,
        number=await unit.take_number(f"job:{account.project_id}"),
        seq=await unit.take_number("job"),
        title=write_title(spec.topic),
        recipe_slug=spec.recipe_ref.slug,
        recipe_version=spec.recipe_ref.number,
        mode=new.mode,
        state="queued",
        priority=new.priority,
        idem_key=new.idem_key,
        spec=body,
        spec_hash=hash_json(body),
        quote=dict(quoted),
        cost_limit=new.cost_limit,
        made_by=unit.principal.actor_id,
        made_by_name=unit.principal.name,
        created_at=func.clock_timestamp(),
    )
    unit.session.add(job)
    await unit.session.flush()
    return job


def write_title(topic: str) -> str:
    """The first line of a topic, shortened at a word."""
    line = topic.strip().splitlines()[0].strip()
    if len(line) <= TITLE_LIMIT:
        return line
    return line[:TITLE_LIMIT].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


def _steps(
    nodes: Sequence[Node], kinds: Mapping[str, StepKind], spec: Mapping[str, Any], learned: Mapping[str, float]
) -> list[Placed]:
    made: dict[str, Placed] = {}
    for node in nodes:
        module = kinds[node.kind]
        guess, route = module.cost(spec, {}), route_of(spec, module)
        made[node.kind] = Placed(
            kind=node.kind,
            pool=route.pool,
            fallback=route.fallback,
            fallback_after_s=route.after_s,
            ordinal=node.ordinal,
            gate=node.gate,
            cost=guess * learned.get(node.kind, 1.0),
            guess=guess,
            needs=tuple(made[need].id for need in node.needs),
        )
    return list(made.values())
