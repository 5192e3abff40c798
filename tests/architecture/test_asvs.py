"""Every test that docs/security/asvs.md names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_named_test_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)*)`", (ROOT / "docs" / "security" / "asvs.md").read_text())
    assert len(named) > 15
    for path, names in named:
        text = (ROOT / path).read_text()
        for name in names.split("::")[1:]:
            assert re.search(rf"(def|class) {name}\b", text), f"{path}::{name}"
