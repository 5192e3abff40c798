"""Write the golden plans anew: `python -m tests.timeline.golden.update`, then read the difference."""

import json

from tests.timeline.making import FONTS, GOLDEN, deep_sky_media
from timeline.compile import compile_plan
from timeline.loading import load
from timeline.resolve import resolve


def main() -> None:
    """Compile the published example for both profiles."""
    resolved = resolve(load((GOLDEN / "deep_sky.json").read_text()), deep_sky_media())
    for profile in ("longform-16x9", "shorts-9x16"):
        plan = compile_plan(resolved, profile, FONTS, "build-1")
        text = json.dumps(json.loads(plan.model_dump_json()), indent=1, ensure_ascii=False)
        (GOLDEN / f"deep_sky.{profile}.plan.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
