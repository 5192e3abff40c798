"""What the steps after *compose* share: reading the plan, and bringing its assets to this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from domain.production.pipeline.base import StepContext
from timeline.plan import RenderPlan


async def load_plan(ctx: StepContext) -> RenderPlan:
    """Read the plan that the job's *compose* step has stored."""
    return RenderPlan.model_validate_json(await ctx.read(str(ctx.work.inputs["compose"]["plan"])))


async def local_assets(ctx: StepContext, plan: RenderPlan, names: Iterable[str]) -> dict[str, Path]:
    """Answer local paths of the named assets; every one of them must be declared by the plan."""
    return {name: await ctx.local(name) for name in sorted(names) if name in plan.assets}
