"""What no template may hold: inline code and styles, words of older htmx, unescaped text, icons that do not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.assets import FOLDER as STATIC
from app.templating import FOLDER

TEMPLATES = sorted(FOLDER.rglob("*.html"))
FORBIDDEN = {
    r"\sstyle\s*=": "inline style",
    r"<style[\s>]": "style element",
    r"\son[a-z]+\s*=": "inline handler",
    r"hx-on": "hx-on needs eval",
    r"[\"']js:": "js: values need eval",
    r"hx-trigger=\"[^\"]*\[": "trigger filters need eval",
    r"<script(?![^>]*\ssrc=)": "inline script",
    r"javascript:": "script address",
    r"https?://(?!www\.w3\.org/)": "foreign address",
    r"hx-ext\b|sse-connect=|sse-swap|hx-disabled-elt|hx-inherit\b|hx-params|hx-vars": "older htmx",
    r"htmx:[a-z]+[A-Z]": "camelCase event",
    r"HX-Trigger-After": "removed header",
}
SAFE_USES: set[str] = set()
"""Templates that may say `|safe`, each with a test of its own; none does."""


def ids(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
class TestTemplate:
    def test_holds_nothing_that_the_policy_refuses(self, path: Path) -> None:
        text = path.read_text()
        # hx-sse:connect is ours; the pattern is about the attribute of version 2.
        text = text.replace("hx-sse:connect=", "")
        assert [why for pattern, why in FORBIDDEN.items() if re.search(pattern, text)] == []

    def test_never_switches_escaping_off(self, path: Path) -> None:
        text = path.read_text()
        assert ids(path) in SAFE_USES or not re.search(r"\|\s*safe\b|autoescape", text)

    def test_every_icon_exists(self, path: Path) -> None:
        known = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
        used = set(re.findall(r'icon\("([a-z0-9-]+)"', path.read_text()))
        assert used <= known


def test_icons_named_in_code_exist() -> None:
    known = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    from app.views import marks as table
    from app.views import outputs

    named = {mark[1] for mark in (*table.JOB_MARKS.values(), *table.STEP_MARKS.values())}
    named |= set(table.KIND_ICONS.values()) | set(outputs.ICONS.values()) | set(outputs.ICON_ENDINGS.values())
    assert named <= known


@pytest.mark.parametrize("path", sorted((STATIC / "js").glob("*.js")), ids=lambda path: path.name)
def test_own_scripts_use_neither_eval_nor_inline_html(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write", text)


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda path: path.name)
def test_style_sheets_use_important_only_for_reduced_motion(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "!important" in line]
    assert all("animation-duration" in line for line in lines)
