"""The registry of step kinds: one module each, in the order of the line. Adding a kind = one file, one line here."""

from __future__ import annotations

from collections.abc import Mapping

from domain.production.pipeline import check, compose, illustrate, mux, narrate, package, render, script
from domain.production.pipeline.base import StepKind

STEP_KINDS: Mapping[str, StepKind] = {
    kind.KIND: kind for kind in (script, narrate, illustrate, compose, render, mux, check, package)
}
