"""Double of Azure's batch synthesis: PUT a job under an id, look at it, fetch its ZIP, delete it; and the voice list.

A job is billed once, when its id is new. Free calls can fail too: `look_…`, `fetch_…` and `delete_…` strike the next
look, fetch or delete.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.providers.azure_speech import MUTE, NANO_PER_CHARACTER, VOICES, Said, billed, fault_of, say, wav
from tests.support.providers.server import Call, Double, Planned, Reply, _Line

JOBS, FILES = "/texttospeech/batchsyntheses/", "/results/"
ID = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9._-]{1,62}[a-zA-Z0-9]$")
STATUS_ERRORS: Mapping[str, tuple[int, str, str]] = {
    "bad_request": (400, "BadRequest", "The inputs is required."),
    "wrong_key": (401, "Unauthorized", "Access denied due to invalid subscription key or wrong API endpoint."),
    "forbidden": (403, "Forbidden", "Batch synthesis is not available for this pricing tier."),
    "no_quota": (403, "Forbidden", "Out of call volume quota. Quota will be replenished in 12 days."),
    "not_found": (404, "NotFound", "Resource not found."),
    "rate_limited": (429, "TooManyRequests", "Requests have exceeded the call rate limit of the resource."),
    "server_error": (500, "InternalServerError", "Something went wrong."),
    "unavailable": (503, "ServiceUnavailable", "The service is temporarily unavailable."),
}
JOB_ERRORS: Mapping[str, tuple[str, str]] = {
    "job_failed": ("InternalServerError", "The job failed."),
    "job_refused": ("BadRequest", "The SSML of the inputs is not valid."),
    "job_no_quota": ("QuotaExceeded", "The quota of the resource is used up."),
}
RESULTS = (
    "one_failed", "one_missing", "one_silent", "no_words", "late_words", "odd_words", "no_usage", "zip_broken",
    "zip_html", "zip_slip", "zip_bomb", "zip_crowd", "zip_odd_sound", "no_address", "stuck",
)  # fmt: skip
FREE = tuple(
    f"{call}_{how}" for call in ("look", "fetch", "delete") for how in ("drop", "slow", "busy", "half", "refused")
)

BOMB = 80 * 1024 * 1024
"""Bytes of silence that fold to almost nothing."""


@dataclass
class Job:
    """A job as the service keeps it. `fault`: what will be wrong with it."""

    id: str
    inputs: list[str]
    body: dict[str, Any]
    fault: str
    billed: int
    looks: int = 0
    said: list[Said] = field(default_factory=list)


class AzureBatchDouble(Double):
    """Keeps jobs in memory. `looks_needed`: how often a job is looked at before it has succeeded."""

    name = "azure"
    ERRORS = (*STATUS_ERRORS, *JOB_ERRORS, *RESULTS, *FREE)

    def __init__(self, looks_needed: int = 1) -> None:
        super().__init__()
        self.looks_needed = looks_needed
        self.jobs: dict[str, Job] = {}
        self.deleted: list[str] = []
        self.free_plans: list[Planned] = []
        self.free_done: list[str] = []

    def fail(self, fault: str, at: int | None = None, times: int = 1, **options: Any) -> None:
        """Plan a fault; those of free calls strike the next call of their kind."""
        if fault in FREE:
            self.free_plans.append(Planned(fault, None, times, options))
        else:
            super().fail(fault, at, times, **options)

    def reset(self) -> None:
        super().reset()
        for kept in (self.jobs, self.deleted, self.free_plans, self.free_done):
            kept.clear()

    def paid(self, call: Call) -> bool:
        return call.method == "PUT" and call.path.startswith(JOBS)

    def wait_for_free(self, what: str, seconds: float = 30.0) -> None:
        """Wait until a kind of free call (look, fetch, delete) or a fault of one has happened. Raises TimeoutError."""
        with self._moved:
            if not self._moved.wait_for(lambda: what in self.free_done, seconds):
                raise TimeoutError(f"azure saw no {what}")

    async def serve(self, call: Call, send: _Line) -> None:
        """Handle a request; free calls may be struck by a plan of their own."""
        what = kind_of(call)
        plan = next((p for p in self.free_plans if what and p.fault.startswith(f"{what}_") and p.strikes(0)), None)
        if plan is None:
            await super().serve(call, send)
            self._note(what)
            return
        self.unpaid.append(call)
        how = plan.fault.rpartition("_")[2]
        reply = self.answer(call, "", {})
        self._note(what)
        self._note(plan.fault)
        if how == "busy":
            reply = Reply.of({"error": {"code": "TooManyRequests", "message": "Busy."}}, 429, retry_after="0")
        elif how == "refused":
            reply = Reply.of({"error": {"code": "Forbidden", "message": "The signature has expired."}}, 403)
        elif how == "slow":
            await asyncio.sleep(float(plan.options.get("seconds", 1.0)))
        if how != "drop":
            await send.reply(reply, half=how == "half")

    def _note(self, what: str) -> None:
        with self._moved:
            self.free_done.append(what)
            self._moved.notify_all()

    # ── Answers ───────────────────────────────────────────────────────────────────────────────────────────
    def answer(self, call: Call, fault: str, options: Mapping[str, Any]) -> Reply:
        if call.path.startswith(FILES):
            return self._file(call)
        key = call.headers.get("ocp-apim-subscription-key", "")
        if not key or key in ("wrong", "revoked", "expired"):
            return status_error("wrong_key")
        if call.method == "GET" and call.path.endswith("/cognitiveservices/voices/list"):
            return Reply.of(VOICES)
        if not call.path.startswith(JOBS) or "api-version=2024-04-01" not in call.query:
            return status_error("not_found")
        if fault in STATUS_ERRORS:
            return status_error(fault, options)
        return self._job(call, call.path.removeprefix(JOBS), fault)

    def _job(self, call: Call, name: str, fault: str) -> Reply:
        if call.method == "PUT":
            return self._put(call, name, fault)
        job = self.jobs.get(name)
        if job is None:
            return status_error("not_found")
        if call.method == "DELETE":
            self.deleted.append(name)
            del self.jobs[name]
            return Reply(204)
        job.looks += 1
        # Nobody is told to hurry for what will not be ready.
        return Reply.of(self._told(job), **({} if job.fault == "stuck" else {"retry_after": "0"}))

    def _put(self, call: Call, name: str, fault: str) -> Reply:
        try:
            body = call.json()
            inputs = [row["content"] for row in body["inputs"]]
        except (ValueError, KeyError, TypeError):
            return status_error("bad_request")
        if wrong := wrong_with(name, body, inputs, len(call.body)):
            return status_error("bad_request", words=wrong)
        if name in self.jobs:
            return Reply.of({"error": {"code": "Conflict", "message": "The synthesis already exists."}}, 409)
        failed = fault in JOB_ERRORS
        job = Job(name, inputs, body, fault, 0 if failed else sum(map(billed, inputs)))
        self.jobs[name] = job
        return Reply.of(
            self._told(job), 201, job.billed * NANO_PER_CHARACTER, operation_id=f"op-{name}", retry_after="0"
        )

    def _told(self, job: Job) -> dict[str, Any]:
        """A job as it is told: NotStarted, Running, then Succeeded or Failed."""
        done = job.looks >= self.looks_needed and job.fault != "stuck"
        status = "NotStarted" if not job.looks else "Running" if not done else "Succeeded"
        properties: dict[str, Any] = dict(job.body["properties"])
        told = {
            "id": job.id,
            "status": status,
            "inputKind": "SSML",
            "customVoices": {},
            "createdDateTime": "2026-01-05T10:00:00.1234567Z",
            "lastActionDateTime": "2026-01-05T10:00:14.7",
            "properties": properties,
        }
        if done and job.fault in JOB_ERRORS:
            code, message = JOB_ERRORS[job.fault]
            return told | {"status": "Failed", "properties": properties | {"error": {"code": code, "message": message}}}
        if done:
            failed = 1 if job.fault == "one_failed" else 0
            properties |= {"succeededAudioCount": len(job.inputs) - failed, "failedAudioCount": failed}
            if job.fault != "no_usage":
                properties["billingDetails"] = {"neuralCharacters": job.billed}
            if job.fault != "no_address":
                told["outputs"] = {"result": f"{self.url}{FILES}{job.id}.zip?sig=secret"}
        return told

    def _file(self, call: Call) -> Reply:
        job = self.jobs.get(call.path.removeprefix(FILES).removesuffix(".zip"))
        if job is None or "sig=secret" not in call.query:
            return status_error("not_found")
        if job.fault == "zip_html":
            return Reply(200, {"content-type": "text/html"}, b"<!doctype html><title>Sign in</title>")
        return Reply(200, {"content-type": "application/zip"}, results(job))


def kind_of(call: Call) -> str:
    """Which free call this is; empty for all others."""
    if call.path.startswith(FILES):
        return "fetch"
    return {"GET": "look", "DELETE": "delete"}.get(call.method, "") if call.path.startswith(JOBS) else ""


def wrong_with(name: str, body: Mapping[str, Any], inputs: list[str], size: int) -> str:
    """What the service would refuse in an order; empty when nothing."""
    properties = body.get("properties", {})
    if not ID.match(name):
        return "The id is not valid."
    if body.get("inputKind") != "SSML" or not inputs or len(inputs) > 1000 or size > 500_000:
        return "The inputs is required: 1 to 1000 inputs of kind SSML, 500 kB in all."
    if not 1 <= properties.get("timeToLiveInHours", 0) <= 744:
        return "timeToLiveInHours must be between 1 and 744."
    if properties.get("outputFormat") != "riff-48khz-16bit-mono-pcm":
        return "The outputFormat is not supported by this double."
    return next((f"Input {number}: {wrong}" for number, ssml in enumerate(inputs, 1) if (wrong := fault_of(ssml))), "")


def results(job: Job) -> bytes:
    """The ZIP of a job, with what is wrong with it."""
    if not job.said:
        job.said = [say(ssml) for ssml in job.inputs]
    out, rows = io.BytesIO(), []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, said in enumerate(job.said, 1):
            rows.append(_input(archive, job, number, said))
        archive.writestr("summary.json", json.dumps({"jobID": job.id, "status": "Succeeded", "results": rows}))
        _traps(archive, job.fault)
    data = out.getvalue()
    return data[: len(data) // 2] if job.fault == "zip_broken" else data


def _input(archive: zipfile.ZipFile, job: Job, number: int, said: Said) -> dict[str, Any]:
    row: dict[str, Any] = {"contents": [job.inputs[number - 1]], "status": "Succeeded"}
    first = number == 1
    if first and job.fault == "one_failed":
        return row | {"status": "Failed", "error": {"code": "InvalidSsml", "message": "The voice could not say this."}}
    if first and job.fault == "one_missing":
        return row
    pcm = bytes(len(said.pcm)) if first and job.fault == "one_silent" else said.pcm
    sound = wav(pcm, 24_000) if job.fault == "zip_odd_sound" else wav(pcm)
    if first and job.fault == "zip_bomb":
        sound = wav(bytes(BOMB))
    archive.writestr(f"{number:04d}.wav", sound)
    shift = len(pcm) // 96 if job.fault == "late_words" else 0
    words: Any = [{"Text": text, "AudioOffset": at + shift, "Duration": lasts} for text, at, lasts in said.words]
    words = {"nonsense": True} if job.fault == "odd_words" else words
    if said.voice != MUTE and job.fault != "no_words":
        archive.writestr(f"{number:04d}.word.json", json.dumps(words))
        whole = [
            {"Text": " ".join(text for text, _, _ in said.words), "AudioOffset": 50, "Duration": len(pcm) // 96 - 50}
        ]
        archive.writestr(f"{number:04d}.sentence.json", json.dumps(whole))
    archive.writestr(f"{number:04d}.debug.json", "{}")
    told = {"sizeInBytes": str(len(sound)), "durationInMilliseconds": str(len(pcm) // 96)}
    return row | {"audioFileName": f"{number:04d}.wav", "properties": told}


def _traps(archive: zipfile.ZipFile, fault: str) -> None:
    if fault == "zip_slip":
        archive.writestr("../../outside.wav", b"not where it should be")
    elif fault == "zip_crowd":
        for number in range(5000):
            archive.writestr(f"{number}.txt", b"")


def status_error(fault: str, options: Mapping[str, Any] | None = None, words: str = "") -> Reply:
    """An error as the service tells it."""
    status, code, usual = STATUS_ERRORS[fault]
    extra = {"apim-request-id": f"req-azure-{status}", "x-ms-error-code": code}
    if options and "retry_after" in options:
        extra["retry-after"] = str(options["retry_after"])
    told = Reply.of({"error": {"code": code, "message": words or usual}}, status)
    return Reply(status, {**told.headers, **extra}, told.body)
