"""The name of what `watch` would write of a segment, told without loading what looks at pictures."""

from __future__ import annotations

import hashlib
import json

from timeline.plan import RenderPlan, Segment

REVISION = 1
"""Raised by hand whenever the same film is seen in another way."""


def watch_key(plan: RenderPlan, segment: Segment) -> str:
    """Names everything but the coded pictures that shapes what is seen of a segment."""
    output, used = plan.output, {state.style for state in segment.captions}
    asked = {
        "revision": REVISION,
        "segment": segment.model_dump(mode="json", include={"frames", "captions"}),
        "styles": [style.model_dump(mode="json") for style in plan.styles if style.name in used],
        "output": output.model_dump(mode="json", include={"width", "height", "rate", "burn_captions", "safe_area"}),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
