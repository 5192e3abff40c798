"""Files of a job: streamed from the object store, whole or in part, never trusted by the browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import HttpMethod, Response, get, route
from litestar.response import Stream

from app.errors import Missing
from app.guards import FILE_POLICY
from app.ranges import Span, Unsatisfiable, read_range
from app.room import Room
from app.site import AnyRequest, Site
from app.views.outputs import way_of
from domain.production.log_queries import log_lines
from domain.production.queries.gate import find_run
from domain.production.queries.job import Output, find_job, find_output

PRIVATE = "private, max-age=0, must-revalidate"


@route(
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/artifacts/{name:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
)
async def serve_artifact(request: AnyRequest) -> Response[Any]:
    """A file or the part of it that is asked for: 200, 206, 304 or 416."""
    room = await Room.enter(request)
    name = str(request.path_params["name"]).lstrip("/")
    async with room.open() as unit:
        job = await find_job(unit, room.project_slug, room.number)
        found = await find_output(unit, job, name) if job is not None else None
    if found is None:
        raise Missing
    return answer_file(room.site, room.principal.tenant_id, request, found)


@route(
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/runs/{run:str}/{name:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
)
async def serve_earlier(request: AnyRequest) -> Response[Any]:
    """A file of an earlier run of a step, in the same way."""
    room = await Room.enter(request)
    name = str(request.path_params["name"]).lstrip("/")
    try:
        run_id = UUID(str(request.path_params["run"]))
    except ValueError:
        raise Missing from None
    async with room.open() as unit:
        job = await find_job(unit, room.project_slug, room.number)
        run = await find_run(unit, job, run_id) if job is not None else None
    if run is None or name not in run.files:
        raise Missing
    found = Output(name=name, step_id=run.step_id, created_at=run.created_at, **run.files[name])
    return answer_file(room.site, room.principal.tenant_id, request, found)


def answer_file(site: Site, tenant_id: UUID, request: AnyRequest, found: Output) -> Response[Any]:
    """A file or the part of it that is asked for: 200, 206, 304 or 416."""
    headers = file_headers(found, download="download" in request.query_params)
    if _unchanged(request, headers["ETag"]):
        return Response(b"", status_code=304, headers=headers)
    try:
        span = read_range(request.headers.get("range"), request.headers.get("if-range"), headers["ETag"], found.size)
    except Unsatisfiable:
        return Response(b"", status_code=416, headers={**headers, "Content-Range": f"bytes */{found.size}"})
    return _send(site, tenant_id, request, found, span, headers)


@get("/w/{tenant:str}/p/{project:str}/jobs/{number:str}/log.txt")
async def serve_log(request: AnyRequest) -> Response[str]:
    """The whole log as text, times in UTC."""
    room = await Room.enter(request)
    async with room.open() as unit:
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        lines = await log_lines(unit, job.id)
    body = "".join(f"{line.number}\t{line.at}\t{line.level}\t{line.group}\t{line.text}\n" for line in lines)
    headers = {"Content-Disposition": f'attachment; filename="job-{job.number}-log.txt"'}
    return Response(body, media_type="text/plain", headers=headers)


def _send(
    site: Site, tenant_id: UUID, request: AnyRequest, found: Output, span: Span | None, headers: dict[str, str]
) -> Response[Any]:
    part = span or Span(0, found.size)
    status = 200
    if span is not None:
        status = 206
        headers["Content-Range"] = f"bytes {span.start}-{span.last}/{found.size}"
    headers["Content-Length"] = str(part.length)
    media_type = served_type(found.media_type)
    if request.method == "HEAD" or part.length == 0:
        return Response(b"", status_code=status, media_type=media_type, headers=headers)
    body = site.store.stream(tenant_id, found.sha256, part.start, part.length)
    return Stream(body, status_code=status, media_type=media_type, headers=headers)


def file_headers(found: Output, *, download: bool) -> dict[str, str]:
    """The headers every answer about a file carries."""
    shown = way_of(found.media_type) in ("video", "audio", "image", "text") and not download
    leaf = found.name.rpartition("/")[2]
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_. ") else "_" for sign in leaf)
    kind = "inline" if shown else "attachment"
    return {
        "Accept-Ranges": "bytes",
        "ETag": f'"{found.sha256}"',
        "Cache-Control": PRIVATE,
        "Content-Disposition": f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(leaf, safe='')}",
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
    }


def served_type(media_type: str) -> str:
    """The type a file is sent with: what a browser might run is sent as plain bytes."""
    way = way_of(media_type)
    if way == "file":
        return "application/octet-stream"
    if way == "text" and not media_type.startswith("text/vtt"):
        kind = media_type.partition(";")[0]
        return "application/json" if kind == "application/json" else "text/plain"
    return media_type


def _unchanged(request: AnyRequest, etag: str) -> bool:
    wanted = request.headers.get("if-none-match", "")
    return "range" not in request.headers and etag in (part.strip() for part in wanted.split(","))
