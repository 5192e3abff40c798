"""The script of a job: read it, and have a film of the changed one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody
from pydantic import Field

from app.api.asker import Asker
from app.api.job_shapes import ENGLISH
from app.api.once import Once
from app.api.problems import ApiProblem, invalid, not_yet
from app.api.shapes import ETAG, LOCATION, REPLAYED, JobState, OnceKey, ProblemFault, Shape, Wish, refusals
from app.pages.money import TARIFFS
from app.scene_form import check_scene, split_text
from app.site import AnyRequest
from domain.production.commands.edit_script import edit_script
from domain.production.editing import ENDED, read_script
from domain.production.queries.job import JobDetail, job_detail
from domain.studio.script import Script
from tenants.roles import Permission
from tenants.unit import Unit

PATH = "/jobs/{job:uuid}/script"
IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", required=True, description="The `ETag` that the script had when you read it."),
]


class SentenceShape(Shape):
    """A sentence as it is written, and as it is spoken where that differs."""

    id: str
    text: str
    say: str | None


class SceneShape(Shape):
    """A scene of a script."""

    id: str = Field(examples=["s1"])
    title: str
    sentences: list[SentenceShape]


class ScriptShape(Shape):
    """The script of a job."""

    title: str
    language: str
    description: str
    scenes: list[SceneShape]


class SceneEditShape(Wish):
    """New text of one scene; a line ends a sentence, and longer lines are split where their sentences end."""

    id: str = Field(examples=["s1"])
    text: str = Field(examples=["The night sky is dark. That is stranger than it seems."])


class ScriptEditShape(Wish):
    """Scenes whose text is changed; all others stay as they are."""

    scenes: list[SceneEditShape] = Field(min_length=1, max_length=400)


@get(
    PATH,
    operation_id="getScript",
    tags=["Script"],
    summary="Read a script",
    response_headers=[ETAG],
    responses=refusals(404, 409),
)
async def show_script(request: AnyRequest, job: FromPath[UUID]) -> Response[ScriptShape]:
    """The script as it stands; its `ETag` says which version. Needs `jobs:read`."""
    asker = Asker.of(request)
    detail, _ = await _read(asker, job, "jobs:read")
    etag, script = script_etag(detail), await read_script(asker.site.store, detail)
    if etag is None or script is None:
        raise not_yet("script")
    if etag in (part.strip() for part in request.headers.get("if-none-match", "").split(",")):
        return Response(None, status_code=304, headers={"ETag": etag})  # type: ignore[arg-type]
    return Response(_shown(script), headers={"ETag": etag})


@post(
    PATH,
    operation_id="editScript",
    tags=["Script"],
    summary="Make a film of the changed script",
    response_headers=[LOCATION, REPLAYED],
    responses=refusals(404, 409, 412, 422, 428),
)
async def change_script(
    request: AnyRequest,
    job: FromPath[UUID],
    data: JSONBody[ScriptEditShape],
    if_match: IfMatch = None,
    idempotency_key: OnceKey = None,
) -> Response[JobState]:
    """Start a new job with some scenes' text changed; only what the change touches is made. Needs `jobs:run`.

    The job it is made from stays as it is, with its film.
    """
    asker, once = Asker.of(request), Once.of(request, idempotency_key, data)
    detail, project = await _read(asker, job, "jobs:run")
    async with asker.open() as unit:
        if (answered := await once.before(unit)) is not None:
            return answered
    script = await read_script(asker.site.store, detail)
    if script is None:
        raise not_yet("script")
    require_version(if_match, script_etag(detail))
    edits = read_edits(script, data.scenes, "/scenes")
    async with asker.open() as unit:
        if (answered := await once.before(unit)) is not None:
            return answered
        await _still(unit, asker, job, if_match)
        made = await edit_script(unit, job, edits, tariffs=TARIFFS)
        return await once.keep(unit, asker.state(made, project), f"/api/v1/jobs/{made.id}")


async def _read(asker: Asker, job: UUID, needs: Permission) -> tuple[JobDetail, str]:
    async with asker.open() as unit:
        found, project = await asker.job(unit, job, needs)
        return await job_detail(unit, found), project


async def _still(unit: Unit, asker: Asker, job: UUID, if_match: str | None) -> None:
    """Look once more in the transaction that writes. Raises ApiProblem."""
    found, _ = await asker.job(unit, job, "jobs:run")
    require_version(if_match, script_etag(await job_detail(unit, found)))


def script_etag(detail: JobDetail) -> str | None:
    """The version of a job's script; None while it is not written."""
    ended = any(step.kind == "script" and step.state in ENDED for step in detail.steps)
    found = next((output for output in detail.outputs if output.name == "script.json"), None)
    return f'"{found.sha256}"' if ended and found is not None else None


def require_version(if_match: str | None, etag: str | None) -> None:
    """Let through only who has read the present version. Raises ApiProblem."""
    if if_match is None:
        detail = "Send If-Match with the ETag that the script had when you read it."
        raise ApiProblem(428, "precondition", "Say which version you have read", detail)
    if etag is None or etag not in (part.strip() for part in if_match.split(",")):
        detail = "The script has changed since you read it. Read it again, then decide."
        raise ApiProblem(412, "changed", "There is a newer version", detail)


def read_edits(script: Script, wanted: Sequence[SceneEditShape], place: str) -> dict[str, list[str]]:
    """New sentences by scene, checked as the page checks them. Raises ApiProblem with every fault."""
    scenes, faults = {scene.id: scene for scene in script.scenes}, []
    edits: dict[str, list[str]] = {}
    for number, edit in enumerate(wanted):
        scene = scenes.get(edit.id)
        if scene is None or edit.id in edits:
            twice = "is given twice" if scene is not None else "does not exist"
            detail = f"The scene “{edit.id[:40]}” {twice}. There are: {', '.join(list(scenes)[:60])}."
            faults.append(ProblemFault(detail=detail, pointer=f"{place}/{number}/id"))
            continue
        edits[edit.id] = split_text(edit.text, scene)
        wrong = check_scene(ENGLISH, {"text": edit.text}, scene)
        faults += [ProblemFault(detail=one.text, pointer=f"{place}/{number}/text") for one in wrong]
    if faults:
        raise invalid(faults)
    return edits


def _shown(script: Script) -> ScriptShape:
    scenes: list[Any] = [
        SceneShape(
            id=scene.id,
            title=scene.title,
            sentences=[SentenceShape(id=one.id, text=one.text, say=one.say) for one in scene.sentences],
        )
        for scene in script.scenes
    ]
    return ScriptShape(title=script.title, language=script.language, description=script.description, scenes=scenes)
