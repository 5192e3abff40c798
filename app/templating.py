"""Templates: one page each, with named blocks that are also rendered alone for partial and live updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.nodes import Const, Extends
from markupsafe import Markup

from app.assets import Assets
from app.i18n import LANGUAGES, Tongue, catalogue, utc_iso
from app.views.told import tell

FOLDER = Path(__file__).resolve().parent.parent / "templates"


class Templates:
    """One Jinja environment per language; autoescape everywhere, unknown names are errors."""

    def __init__(self, assets: Assets, folder: Path = FOLDER) -> None:
        self._loader = FileSystemLoader(folder)
        self._environments = {language: _environment(language, assets, self._loader) for language in LANGUAGES}
        self._lines: dict[tuple[str, str], list[Template]] = {}

    def page(self, name: str, tongue: Tongue, values: Mapping[str, Any]) -> str:
        """Render a whole page."""
        template = self._environments[tongue.language].get_template(name)
        return template.render(t=tongue, **values)

    def block(self, name: str, block: str, tongue: Tongue, values: Mapping[str, Any]) -> str:
        """Render one named block of a page; raises KeyError when the page has no such block."""
        line = self._line(tongue.language, name)
        context = line[0].new_context({"t": tongue, **values})
        # A template knows only its own blocks; those of its parents are hung behind them, as in a whole page.
        for parent in line[1:]:
            for known, render in parent.blocks.items():
                context.blocks.setdefault(known, []).append(render)
        return "".join(context.blocks[block][0](context))

    def _line(self, language: str, name: str) -> list[Template]:
        """A template and those it extends, nearest first."""
        if (language, name) not in self._lines:
            environment = self._environments[language]
            line, wanted = [], name
            while wanted:
                line.append(environment.get_template(wanted))
                source, _, _ = self._loader.get_source(environment, wanted)
                found = environment.parse(source).find(Extends)
                wanted = found.template.value if found and isinstance(found.template, Const) else ""
            self._lines[language, name] = line
        return self._lines[language, name]

    def names(self) -> list[str]:
        """Every template."""
        return next(iter(self._environments.values())).list_templates(extensions=["html"])


def partial(target: str, body: str, swap: str = "outerMorph") -> str:
    """Wrap rendered HTML so that htmx swaps it into the element `target` (an id)."""
    # The tag ends up in a <template>, so its content may be anything, table rows included.
    return str(Markup('<hx-partial hx-target="#{}" hx-swap="{}">{}</hx-partial>').format(target, swap, Markup(body)))  # noqa: S704 body comes from a template


def _environment(language: str, assets: Assets, loader: FileSystemLoader) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        auto_reload=False,
        cache_size=400,
    )
    words = catalogue(language)
    install: Callable[..., None] = environment.install_gettext_callables  # type: ignore[attr-defined]
    install(words.gettext, words.ngettext, newstyle=True)
    environment.globals["asset"] = assets.url
    environment.globals["languages"] = LANGUAGES
    environment.globals["tell"] = tell
    environment.filters["iso"] = utc_iso
    environment.filters["initials"] = initials
    environment.filters["capitalize_first"] = capitalize_first
    return environment


def capitalize_first(text: str) -> str:
    """A text that begins a sentence."""
    return text[:1].upper() + text[1:]


def initials(name: str) -> str:
    """One or two capital letters for a person's avatar."""
    words = [word for word in name.split() if word[:1].isalnum()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words[:1]]
    return "".join(letters).upper() or "·"
