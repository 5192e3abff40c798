"""Languages: catalogues, and numbers, money, sizes and times as people of a language write them."""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

LOCALES = Path(__file__).resolve().parent / "locale"
DOMAIN = "messages"
LANGUAGES: Mapping[str, str] = {"en": "English", "pt-BR": "Português (Brasil)"}
"""Tag → the language's own name. The texts in code and templates are English."""
DEFAULT = "en"
MICRO = 1_000_000


def N_(text: str) -> str:  # noqa: N802 the usual mark of gettext
    """Mark a text for translation where it is only kept; it is translated where it is shown."""
    return text


@lru_cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Answer the messages of a language, compiled in memory from its PO file."""
    path = LOCALES / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not path.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language.replace("-", "_")))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def pick_language(header: str) -> str:
    """Answer the best of our languages for an Accept-Language header."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((float(weight or 1), tag.lower()))
        except ValueError:
            continue
    for _weight, tag in sorted(wanted, key=lambda entry: -entry[0]):
        for language in LANGUAGES:
            if tag == language.lower() or tag.split("-")[0] == language.lower().split("-")[0]:
                return language
    return DEFAULT


@lru_cache
def zone_of(name: str) -> ZoneInfo:
    """Answer a time zone; an unknown name is UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@lru_cache
def zone_names() -> tuple[str, ...]:
    """Every time zone a person can choose."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return (*sorted(places), "UTC")


@dataclass(frozen=True)
class Tongue:
    """One person's language and time zone; everything shown to them goes through it."""

    language: str = DEFAULT
    zone: str = "UTC"

    @property
    def locale(self) -> Locale:
        return _locale(self.language)

    @property
    def tz(self) -> ZoneInfo:
        return zone_of(self.zone)

    def gettext(self, text: str, **values: object) -> str:
        found = catalogue(self.language).gettext(text)
        return found % values if values else found

    def ngettext(self, one: str, many: str, num: int, **values: object) -> str:
        return catalogue(self.language).ngettext(one, many, num) % {"num": num, **values}

    # ── Numbers ───────────────────────────────────────────────────────────────────────────────────────────
    def number(self, value: float, digits: int = 0) -> str:
        """A number with thousands marks and at most `digits` decimals."""
        return format_decimal(value, f"#,##0.{'#' * digits}" if digits else "#,##0", locale=self.locale)

    def fixed(self, value: float, digits: int) -> str:
        """A number with exactly `digits` decimals."""
        return format_decimal(value, f"#,##0.{'0' * digits}", locale=self.locale)

    def money(self, micro_dollars: int | None) -> str:
        """An amount in micro-dollars with as many digits as small sums need; unknown stays unknown."""
        if micro_dollars is None:
            return self.gettext("unknown")
        digits = 4 if 0 < abs(micro_dollars) < MICRO // 10 else 2
        space = "" if self.language == "en" else "\xa0"
        form = f"¤{space}#,##0.{'0' * digits}"
        return format_currency(micro_dollars / MICRO, "USD", form, locale=self.locale, currency_digits=False)

    def size(self, count: int) -> str:
        """A number of bytes as kB, MB or GB."""
        value = float(count)
        for unit in ("B", "kB", "MB", "GB"):
            if value < 1000 or unit == "GB":
                break
            value /= 1000
        return f"{self.number(value, 1 if unit != 'B' and value < 10 else 0)} {unit}"

    def duration(self, seconds: float) -> str:
        """A length of time: 0.4 s, 48 s, 12 min 04 s, 1 h 05 min."""
        if seconds < 9.95:
            return f"{self.number(max(seconds, 0), 1)} s"
        whole = round(seconds)
        if whole < 60:
            return f"{whole} s"
        if whole < 3600:
            return f"{whole // 60} min {whole % 60:02d} s"
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"

    def rough(self, seconds: float) -> str:
        """An estimated length of time, no finer than it deserves."""
        if seconds < 55:
            return f"{max(5, round(seconds / 5) * 5)} s"
        if seconds < 3600:
            return f"{max(1, round(seconds / 60))} min"
        return f"{self.number(seconds / 3600, 1)} h"

    def clock(self, seconds: float) -> str:
        """A position in a film: 0:07, 9:42, 1:02:03. Begun seconds do not count, as in every player."""
        whole = int(seconds)
        hours, rest = divmod(whole, 3600)
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"

    # ── Times ─────────────────────────────────────────────────────────────────────────────────────────────
    def full(self, moment: datetime) -> str:
        """Full date and time with the zone, for tooltips."""
        return format_datetime(moment, "long", tzinfo=self.tz, locale=self.locale)

    def moment(self, moment: datetime, now: datetime) -> str:
        """A moment in a list: relative under 24 h, else the date."""
        gap = (now - moment).total_seconds()
        if gap < 60:
            return self.gettext("just now")
        if gap < 3600:
            return self.ngettext("%(num)s min ago", "%(num)s min ago", int(gap // 60))
        if gap < 86400:
            return self.ngettext("%(num)s h ago", "%(num)s h ago", int(gap // 3600))
        return self.day(moment)

    def day(self, moment: datetime) -> str:
        """The date of a moment, where the person is."""
        return format_date(moment.astimezone(self.tz), "medium", locale=self.locale)

    def short_day(self, day: date) -> str:
        """A day of a table, without its year."""
        return format_skeleton("MMMd", day, locale=self.locale)

    def log_time(self, moment: datetime) -> str:
        """The time of a log line, to the millisecond."""
        local = moment.astimezone(self.tz)
        return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


def utc_iso(moment: datetime) -> str:
    """A moment for `<time datetime>`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
