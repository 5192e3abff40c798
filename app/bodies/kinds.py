"""The forms there are: kind, or kind and sort, → its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.bodies.entries import Entry
from app.i18n import N_
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES
from domain.catalog.prompting import MAX_TEMPLATE
from timeline.transitions import TRANSITIONS

MAX_KNOWLEDGE = 200_000
"""Characters of one knowledge document."""

LANGUAGE = Entry("language", N_("Language"), "one", choices=LANGUAGE_NAMES)
SEVERITY = Entry(
    "severity",
    N_("When it finds something"),
    "one",
    choices={
        "error": N_("the script is not used: the writer is asked to put it right"),
        "warning": N_("it is noted"),
    },
)

PROMPT: Sequence[Entry] = (
    LANGUAGE,
    Entry(
        "system",
        N_("Instructions"),
        "text",
        N_("What stays the same for all films: the manner, the rules. May stay empty."),
        high=MAX_TEMPLATE,
        needed=False,
        empty="",
        rows=8,
        mono=True,
    ),
    Entry("template", N_("Template"), "text", N_("Filled for each film."), high=MAX_TEMPLATE, rows=22, mono=True),
)
KNOWLEDGE: Sequence[Entry] = (
    LANGUAGE,
    Entry(
        "tier",
        N_("When it is used"),
        "one",
        numeric=True,
        choices={
            "1": N_("always"),
            "2": N_("where a recipe names it, or names none"),
            "3": N_("where it is about the topic"),
        },
    ),
    Entry("tags", N_("Tags"), "list", N_("Words it is found by, separated by commas."), needed=False, empty=[]),
    Entry(
        "text",
        N_("Text"),
        "text",
        N_(
            "Markdown: “##” begins a theme, every list item or sentence is a fact. A line “Source: …” names where the "
            "facts above it come from."
        ),
        high=MAX_KNOWLEDGE,
        rows=24,
        mono=True,
    ),
)


def _ticks(path: str, label: str, help_: str = "") -> Entry:
    return Entry(path, label, "tick", help_)


VIDEO: Sequence[Entry] = (
    Entry(
        "quality",
        N_("Quality"),
        "one",
        choices={"draft": N_("draft"), "standard": N_("standard"), "high": N_("high")},
    ),
    Entry("fps", N_("Frames per second"), "one", choices={rate: rate for rate in ("24", "25", "30", "50", "60")}),
    Entry("transition", N_("Transition"), "one", choices={name: name for name in TRANSITIONS}),
    Entry("transition_seconds", N_("Transition, seconds"), "decimal", low=0, high=3),
    Entry("zoom", N_("Zoom over a scene"), "decimal", N_("As a share: 0.10 is a tenth."), low=0, high=0.4),
    Entry("title_seconds", N_("Title, seconds"), "decimal", N_("0 shows no title."), low=0, high=15),
    Entry(
        "captions",
        N_("Captions"),
        "one",
        choices={"none": N_("none"), "highlight": N_("highlighted word"), "word-pop": N_("word by word")},
    ),
    Entry("loudness_lufs", N_("Loudness, LUFS"), "decimal", low=-31, high=-9),
    Entry("music_gain_db", N_("Music level, dB"), "decimal", low=-60, high=6),
    Entry("duck_db", N_("Music under speech, dB"), "decimal", low=-40, high=0),
    _ticks("motion", N_("Motion of pictures")),
    _ticks("logo", N_("Logo")),
    _ticks("music", N_("Music")),
)
SSML: Sequence[Entry] = (
    Entry("pauses.sentence", N_("Pause after a sentence, ms"), "whole", low=0, high=5000),
    Entry("pauses.paragraph", N_("Pause after a paragraph, ms"), "whole", low=0, high=5000),
    Entry("pauses.scene", N_("Pause after a scene, ms"), "whole", low=0, high=5000),
    Entry("pauses.comma", N_("Pause at a comma, ms"), "whole", N_("May stay empty."), 0, 2000, needed=False),
    Entry(
        "lexicon",
        N_("Pronunciations"),
        "pairs",
        N_("One a line: the word as it is written = as it is spoken."),
        needed=False,
        empty={},
        rows=10,
        mono=True,
    ),
    _ticks("say_as", N_("Read numbers and dates out")),
)
EFFECTS: Sequence[Entry] = (_ticks("grain", N_("Film grain")),)

LENGTH: Sequence[Entry] = (
    Entry("settings.min_words", N_("Words, at least"), "whole", high=100_000, needed=False),
    Entry("settings.max_words", N_("Words, at most"), "whole", low=1, high=100_000, needed=False),
    Entry("settings.max_sentence_words", N_("Words of a sentence, at most"), "whole", low=3, high=200, needed=False),
    Entry("settings.min_scenes", N_("Scenes, at least"), "whole", low=1, high=400, needed=False),
    Entry("settings.max_scenes", N_("Scenes, at most"), "whole", low=1, high=400, needed=False),
)
REGEX: Sequence[Entry] = (
    Entry(
        "settings.pattern",
        N_("Pattern"),
        "line",
        N_("A regular expression in the form of RE2, without look-around and back-references."),
        high=1000,
        mono=True,
    ),
    Entry(
        "settings.mode",
        N_("Rule"),
        "one",
        choices={"forbid": N_("no sentence may match"), "require": N_("the script must match somewhere")},
    ),
    _ticks("settings.ignore_case", N_("Capital and small letters are the same")),
    Entry("settings.message", N_("What is said when it fails"), "line", high=300, needed=False, empty=""),
)
BANNED: Sequence[Entry] = (
    Entry(
        "settings.words",
        N_("Words and phrases"),
        "rows",
        N_("One a line. Accents and capitals make no difference."),
        high=100,
        rows=12,
    ),
)
SCHEMA: Sequence[Entry] = (
    Entry(
        "settings.schema",
        N_("JSON Schema"),
        "json",
        N_("For the JSON form of a script, as 2020-12; without $ref."),
        rows=20,
        mono=True,
    ),
)
READING: Sequence[Entry] = (
    Entry("settings.min_seconds", N_("Seconds, at least"), "number", high=36_000, needed=False),
    Entry("settings.max_seconds", N_("Seconds, at most"), "number", low=1, high=36_000, needed=False),
    Entry(
        "settings.tolerance",
        N_("Off the length asked for, at most"),
        "share",
        N_("In percent; empty = only the bounds count."),
        low=5,
        high=95,
        needed=False,
    ),
)
INVENTED: Sequence[Entry] = (
    Entry("settings.free_up_to", N_("Whole numbers that are always allowed, up to"), "whole", high=1000, needed=False),
)

RECIPE: Sequence[Entry] = (
    Entry("description", N_("Description"), "line", N_("One line for the list of recipes."), high=300, needed=False,
          empty=""),
    LANGUAGE,
    Entry("seconds", N_("Length"), "whole", N_("In seconds; each job can ask for another."), low=10, high=3600),
    Entry("profile", N_("Format"), "one", choices=PROFILE_NAMES),
    Entry("tone", N_("Tone"), "line", N_("A few words for the writer."), high=200, needed=False, empty=""),
    Entry("prompt", N_("Prompt"), "one", source="prompt"),
    Entry("voice", N_("Voice"), "one", source="voice"),
    Entry("ssml", N_("Way of speaking"), "one", source="ssml"),
    Entry("video", N_("Look of the film"), "one", source="video"),
    Entry("writer", N_("Writer"), "one", source="writer"),
    Entry("narrator", N_("Narrator"), "one", source="narrator"),
    Entry("pictures", N_("Makers of pictures"), "list", N_("In the order they are asked, separated by commas."),
          source="images"),
    Entry("validators", N_("Validators"), "many", source="validator", needed=False),
    Entry("knowledge.tiers", N_("Tiers of knowledge"), "many", needed=False, numeric=True,
          choices={"1": N_("always"), "2": N_("where a recipe names it, or names none"),
                   "3": N_("where it is about the topic")}),
    Entry("knowledge.documents", N_("Documents of the second tier"), "many",
          N_("None ticked: all of them in the film’s language."), source="document", needed=False),
)  # fmt: skip

FORMS: Mapping[str, Sequence[Entry]] = {
    "prompt": PROMPT,
    "knowledge": KNOWLEDGE,
    "recipe": RECIPE,
    "preset:video": VIDEO,
    "preset:ssml": SSML,
    "preset:effects": EFFECTS,
    "validator:length": (SEVERITY, *LENGTH),
    "validator:regex": (SEVERITY, *REGEX),
    "validator:banned_words": (SEVERITY, *BANNED),
    "validator:json_schema": (SEVERITY, *SCHEMA),
    "validator:reading_time": (SEVERITY, *READING),
    "validator:invented_numbers": (SEVERITY, *INVENTED),
}
SORT_FIELD: Mapping[str, str] = {"preset": "preset", "validator": "validator"}
"""Kind → the field of its bodies that says which form they have."""
BEGINNINGS: Mapping[str, Mapping[str, Any]] = {
    "prompt": {
        "language": "en",
        "template": "Write the narration of a film for {{ project.name }}.\n\nTopic: {{ topic }}\nLength: about "
        "{{ seconds }} seconds, which is close to {{ words }} words.\nTone: {{ tone }}\n\nFacts (use only these, and "
        "name the id of each fact a scene rests on):\n{% for fact in facts %}- [{{ fact.id }}] {{ fact.text }}\n"
        "{% endfor %}",
    },
    "knowledge": {"language": "en", "tier": 2, "tags": []},
    "preset:video": {},
    "preset:ssml": {},
    "preset:effects": {},
    "validator:regex": {"settings": {"mode": "forbid", "ignore_case": True}},
    "validator:invented_numbers": {"settings": {"free_up_to": 10}},
}
"""What an empty form begins with, besides the defaults of the body."""


def sorts_of(kind: str) -> list[str]:
    """The forms of a kind; none when it has only one."""
    return [form.partition(":")[2] for form in FORMS if form.startswith(f"{kind}:")]


def form_of(kind: str, body: Mapping[str, Any]) -> str:
    """The form of a body."""
    return f"{kind}:{body.get(SORT_FIELD[kind], '')}" if kind in SORT_FIELD else kind
