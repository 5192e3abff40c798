"""What is looked for on an open page in every look: nothing for axe, nothing that scrolls sideways.

A page is loaded once and turned through its looks. Its style knows themes as colours only, so every rule of axe is
asked at each width, and the rules about colours once more in the other theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.conftest import AXE, NARROW, WIDE

_ANSWER = 'found.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | "))'
RUN = f"""async () => {{
  const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, {{ runOnly: {{ type: "tag", values }}, resultTypes: ["violations"] }});
  return {_ANSWER};
}}"""
COLOURS = f"""async () => {{
  const runOnly = ["color-contrast", "link-in-text-block"];
  const found = await axe.run(document, {{ runOnly, resultTypes: ["violations"] }});
  return {_ANSWER};
}}"""
STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, *::before, *::after { transition-property: none !important }");
  document.adoptedStyleSheets.push(sheet);
}"""
"""Without it a change of theme runs through the page as transitions, however short, from parent to child."""
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

Look = tuple[dict[str, int], str, str]
"""Width and height, theme, and what axe is asked."""
STATES: tuple[Look, ...] = (
    (WIDE, "light", RUN),
    (WIDE, "dark", COLOURS),
    (NARROW, "dark", RUN),
    (NARROW, "light", COLOURS),
)
"""Every rule at both widths and in both themes; what depends on colours in all four."""


async def faults_of(page: Page, looks: Sequence[Look] = STATES, without: str = "") -> list[str]:
    """What is wrong in any of the looks. `without`: a selector that axe leaves out.

    The page's context has to carry axe: `add_init_script(path=AXE)`, or what `open_looks` opened.
    """
    await page.evaluate(STILL)
    found = []
    for size, scheme, asked in looks:
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.evaluate(FRAME)
        run = asked.replace("document,", f'{{ exclude: [["{without}"]] }},') if without else asked
        found += [f"{scheme} {size['width']}: {fault}" for fault in await page.evaluate(run)]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{size['width']}: scrolls sideways")
    return found


async def open_looks(chromium: Browser, storage: Any = None) -> BrowserContext:
    """A browser, signed in or not, whose pages carry axe and do not move."""
    context = await chromium.new_context(storage_state=storage, viewport=WIDE, reduced_motion="reduce")
    await context.add_init_script(path=AXE)
    return context


async def take_shots(page: Page, folder: Path, name: str) -> None:
    """Pictures of a page for somebody to look at, in both themes and widths."""
    for size, scheme, _asked in STATES:
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.screenshot(path=folder / f"{name}-{scheme}-{size['width']}.png", full_page=True)
