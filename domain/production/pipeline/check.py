"""The quality gate: measure the finished film, and refuse it when it is not fit to show."""

from __future__ import annotations

import json
from pathlib import Path

from domain.production.pipeline.base import Json, StepContext, StepResult, Work
from domain.production.pipeline.plans import load_plan
from domain.production.pipeline.render import SOUND
from domain.production.ports import Finding, ProviderRefused

KIND = "check"
VERSION = 1
POOL = "cpu"
FAN_OUT = False
FINDINGS = "findings"
"""The group of the log that holds what was found."""


class FilmRefused(ProviderRefused):
    """Raised when the quality gate finds an error in the film; the findings are kept as an artifact."""


def key(work: Work) -> Json | None:
    return {"film": work.inputs["mux"]["film"], "plan": work.inputs["compose"]["plan"], "build": work.build}


def cost(spec: Json, step: Json) -> float:
    return max(3.0, float(spec["seconds"]) / 10.0)


async def run(ctx: StepContext) -> StepResult:
    plan = await load_plan(ctx)
    film = await ctx.local(str(ctx.work.inputs["mux"]["film"]))
    inspection = await ctx.tools.renderer.inspect(film, plan, ctx.stop, await _seen(ctx))
    report = {"facts": dict(inspection.facts), "findings": [vars(finding) for finding in inspection.findings]}
    for finding in inspection.findings:
        ctx.log(_describe(finding), "error" if finding.severity == "error" else "warn", FINDINGS)
    await ctx.artifact("inspection.json", "inspection", json.dumps(report, indent=1).encode(), "application/json")
    if not inspection.passed:
        worst = [finding for finding in inspection.findings if finding.severity == "error"]
        raise FilmRefused(
            "quality gate",
            "The film was made but is not fit to show: " + "; ".join(_describe(finding) for finding in worst),
            fix="Look at the findings, change the script or the presets, and run again from there.",
        )
    ctx.log("The film passed every check")
    return StepResult({"facts": report["facts"], "findings": len(inspection.findings)}, units=plan.frames)


async def _seen(ctx: StepContext) -> list[Path]:
    """What was seen of each segment when it was made; nothing where one was not looked at."""
    shards = ctx.work.shards["render"]
    seen = [str(shards[name].get("seen", "")) for name in sorted(shards) if name != SOUND]
    return [await ctx.local(sha256) for sha256 in seen] if all(seen) else []


def _describe(finding: Finding) -> str:
    where = f" at {finding.start:.1f} s" if finding.start is not None else ""
    measured = f" (measured {finding.measured}, wanted {finding.wanted})" if finding.wanted else ""
    return f"{finding.message}{where}{measured}"
