"""Static files: what we vendored is what was published, addresses carry hashes, pages stay small."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from app.assets import FOLDER, Assets

ROOT = FOLDER.parent
LINE = re.compile(r"^\| `(?P<path>[^`]+)` .*`(?P<hash>[0-9a-f]{64})` \|$", re.M)
LISTED = {found["path"]: found["hash"] for found in LINE.finditer((FOLDER / "vendor" / "VENDORED.md").read_text())}


@pytest.fixture(scope="module")
def assets() -> Assets:
    return Assets()


@pytest.mark.parametrize("path", sorted(LISTED))
def test_a_vendored_file_is_unchanged(path: str) -> None:
    assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == LISTED[path]


def test_every_foreign_file_is_listed() -> None:
    folders = (FOLDER / "vendor", FOLDER / "fonts", ROOT / "tests" / "support" / "vendor")
    present = {p.relative_to(ROOT).as_posix() for folder in folders for p in folder.iterdir()}
    foreign = {path for path in present if not Path(path).suffix.endswith(("txt", "md"))}
    assert foreign | {"static/icons.svg"} == LISTED.keys()


def test_an_address_changes_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("b { color: red }")
    first = Assets(tmp_path).url("a.css")
    (tmp_path / "a.css").write_text("b { color: blue }")
    assert Assets(tmp_path).url("a.css") != first


def test_style_sheets_name_fonts_by_their_hashed_addresses(assets: Assets) -> None:
    css = assets.find(assets.url("design.css").removeprefix("/static/"))
    assert css is not None
    assert assets.url("fonts/geist-latin-wght-normal.woff2") in css.body.decode()


def test_budgets(assets: Assets) -> None:
    def weight(*names: str) -> int:
        return sum(len(gzip.compress((FOLDER / name).read_bytes(), 9)) for name in names)

    assert weight("design.css", "pages.css") <= 20_000
    vendor = [f"vendor/{name}" for name in ("htmx-4.0.1.min.js", "hx-sse-4.0.1.min.js", "hx-preload-4.0.1.min.js")]
    assert weight(*vendor, "js/shell.js", "js/live.js", "js/job.js") <= 35_000


def test_only_known_kinds_of_files_are_served(assets: Assets) -> None:
    assert assets.find("vendor/VENDORED.md") is None
    assert assets.find("../pyproject.toml") is None
