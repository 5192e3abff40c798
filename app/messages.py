"""Renew the catalogues after texts have changed: `python -m app.messages`; then translate what is new or fuzzy.

The template holds every text of code and templates; each language keeps its translations by text.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.i18n import DEFAULT, DOMAIN, LANGUAGES, LOCALES

ROOT = LOCALES.parent.parent
METHODS = [("app/**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS: dict[str, dict[str, str]] = {
    "templates/**.html": {
        "silent": "false",
        "extensions": "jinja2.ext.i18n,jinja2.ext.do",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "newstyle_gettext": "true",
    }
}
SKIPPED = {"app/commands", "app/api", "app/locale"}


def extract() -> Catalog:
    """Every text that people read, without places and dates, so that equal texts give equal files."""
    catalog = Catalog()
    found = extract_from_dir(str(ROOT), METHODS, OPTIONS, directory_filter=_wanted)
    for _file, _line, message, _comments, context in found:
        catalog.add(message, context=context)
    return catalog


def _wanted(folder: str) -> bool:
    place = Path(folder).relative_to(ROOT).as_posix()
    return place in ("app", "templates", ".") or (
        place.startswith(("app/", "templates/")) and not any(place.startswith(name) for name in SKIPPED)
    )


def catalogue_path(language: str) -> Path:
    return LOCALES / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """A language's catalogue as it is in the tree."""
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"))


HEADER = """\
# Texts of the pages in {language}, by their English form; renewed by `python -m app.messages`.
msgid ""
msgstr ""
"Language: {locale}\\n"
"Plural-Forms: nplurals=2; plural={plural};\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def save(language: str, catalog: Catalog) -> None:
    """Write a catalogue so that equal contents give equal files."""
    body = io.BytesIO()
    write_po(body, catalog, sort_output=True, omit_header=True, no_location=True, width=110, ignore_obsolete=True)
    header = HEADER.format(language=language, locale=language.replace("-", "_"), plural=catalog.plural_expr)
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode() + body.getvalue())


def renew() -> None:
    """Bring every language's file up to the texts of today."""
    template = extract()
    for language in LANGUAGES:
        if language == DEFAULT:
            continue
        known = catalogue_path(language).exists()
        catalog = read(language) if known else Catalog(locale=language.replace("-", "_"))
        catalog.update(template)
        save(language, catalog)


if __name__ == "__main__":
    renew()
