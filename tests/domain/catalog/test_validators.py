import pytest

from domain.catalog.knowledge import Fact
from domain.catalog.validators import KINDS, InvalidValidator, check_script, make_validator, numbers_in
from domain.studio.script import Scene, Script, Sentence


def script(*texts, language="en"):
    sentences = [Sentence(id=f"s1.{n}", text=text) for n, text in enumerate(texts, 1)]
    return Script(title="T", language=language, scenes=[Scene(id="s1", sentences=sentences)])


def fact(text):
    return Fact("d#1", text, "a book", "D")


def codes(kind, config, subject, facts=(), language="en"):
    faults = check_script(subject, [make_validator(kind, config)], facts, language)
    return [(fault.code, fault.place) for fault in faults]


class TestMakeValidator:
    def test_every_fault_is_named(self):
        with pytest.raises(InvalidValidator) as caught:
            make_validator("length", {"min_words": -1, "max_scenes": 0, "colour": 1})
        assert [fault.split(":")[0] for fault in caught.value.faults] == ["min_words", "max_scenes", "colour"]

    def test_unknown_kind_lists_the_known_ones(self):
        with pytest.raises(InvalidValidator, match="reading_time"):
            make_validator("poetry", {})

    @pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", "("])
    def test_a_pattern_re2_cannot_read_is_refused(self, pattern):
        with pytest.raises(InvalidValidator, match="RE2"):
            make_validator("regex", {"pattern": pattern})

    @pytest.mark.parametrize(
        "schema",
        [
            {"$ref": "#"},
            {"properties": {"a": {"patternProperties": {"x": {}}}}},
            {"pattern": "(a)\\1"},
            {"type": "nothing"},
            {"description": "x" * 30_000},
        ],
    )
    def test_a_dangerous_or_wrong_schema_is_refused(self, schema):
        with pytest.raises(InvalidValidator):
            make_validator("json_schema", {"schema": schema})

    def test_name_and_severity_reach_the_fault(self):
        validator = make_validator("banned_words", {"words": ["sky"]}, name="House rules", severity="warning")
        [found] = check_script(script("The sky."), [validator], (), "en")
        assert (found.validator, found.severity) == ("House rules", "warning")


class TestKinds:
    def test_registry_and_class_agree(self):
        assert all(made.kind == kind for kind, made in KINDS.items())

    def test_length(self):
        config = {"min_words": 3, "max_words": 5, "max_sentence_words": 4, "min_scenes": 2}
        found = codes("length", config, script("One two three four five six."))
        assert found == [("too_long", "script"), ("scenes", "script"), ("long_sentence", "s1.1")]
        assert codes("length", {"min_words": 3}, script("One two.")) == [("too_short", "script")]
        assert codes("length", {"min_words": 2, "max_words": 2}, script("One two.")) == []

    def test_regex_forbids_and_requires(self):
        assert codes("regex", {"pattern": r"https?://"}, script("Fine.", "See HTTP://x.")) == [
            ("pattern_forbidden", "s1.2")
        ]
        assert codes("regex", {"pattern": "hubble", "mode": "require"}, script("A sky.")) == [
            ("pattern_missing", "script")
        ]

    def test_a_nested_repeat_takes_no_time(self):
        assert codes("regex", {"pattern": r"(a+)+$"}, script("a" * 900 + "b")) == []

    def test_banned_words_by_whole_words_without_accents(self):
        config = {"words": ["incrível", "game changer"]}
        assert codes("banned_words", config, script("Um caso incrivel!", language="pt")) == [("banned_word", "s1.1")]
        assert codes("banned_words", config, script("Incrivelmente simples.", "A Game Changer.")) == [
            ("banned_word", "s1.2")
        ]

    def test_json_schema_gives_pointers(self):
        schema = {"properties": {"scenes": {"items": {"properties": {"id": {"pattern": "^scene"}}}}}}
        assert codes("json_schema", {"schema": schema}, script("A.")) == [("schema", "/scenes/0/id")]

    def test_reading_time(self):
        text = " ".join(["word"] * 26) + "."
        assert codes("reading_time", {"max_seconds": 9.9}, script(text)) == [("too_long", "script")]
        assert codes("reading_time", {"min_seconds": 10.1}, script(text)) == [("too_short", "script")]
        assert codes("reading_time", {"min_seconds": 9.9, "max_seconds": 10.1}, script(text)) == []

    def test_invented_numbers(self):
        facts = [fact("It showed 3,000 galaxies 13.2 billion years ago.")]
        subject = script("There were 3000 galaxies.", "And 4,000 stars.", "Ten or 7 of them.", "13.2 billion.")
        assert codes("invented_numbers", {}, subject, facts) == [("invented_number", "s1.2")]
        assert codes("invented_numbers", {}, subject) == []

    def test_errors_come_before_warnings(self):
        validators = [
            make_validator("banned_words", {"words": ["sky"]}, severity="warning"),
            make_validator("length", {"max_words": 1}),
        ]
        assert [f.severity for f in check_script(script("The sky."), validators, (), "en")] == ["error", "warning"]


def test_numbers_are_read_with_the_languages_separators():
    assert numbers_in("1,234.5 and 2.4 and 3,000", "en") == {"1,234.5": 1234.5, "2.4": 2.4, "3,000": 3000.0}
    assert numbers_in("1.234,5 e 2,4 e 3.000", "pt-BR") == {"1.234,5": 1234.5, "2,4": 2.4, "3.000": 3000.0}
