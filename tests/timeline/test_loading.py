"""Reading documents: short and canonical form, JSON and YAML, every fault at once."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.timeline.making import FONTS, GOLDEN, deep_sky_media, document, pictures
from timeline.compile import compile_plan
from timeline.document import Clip, Transition
from timeline.faults import Fault, TimelineError
from timeline.loading import load, parse
from timeline.mending import further, mended
from timeline.resolve import resolve
from timeline.schema import document_schema

DEEP_SKY = (GOLDEN / "deep_sky.json").read_text()


def faults(text: Any, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(TimelineError) as caught:
        load(text, **options) if isinstance(text, str | bytes) else parse(text)
    return [(fault.code, fault.path) for fault in caught.value.faults]


class TestShortForm:
    def test_means_the_canonical_form(self):
        picture, cut, _ = load(DEEP_SKY).sequence.tracks[0].items
        assert isinstance(picture, Clip)
        assert isinstance(cut, Transition)
        assert picture.length is not None
        assert str(picture.length) == "until start of voice#s3"
        assert picture.motion is not None
        assert picture.motion.ease == ("0.42", "0", "0.58", "1")
        assert cut.duration is not None
        assert cut.duration.seconds == Fraction(1, 2)

    def test_canonical_form_reads_back_the_same(self):
        first = load(DEEP_SKY)
        assert load(first.model_dump_json()) == first

    def test_yaml_means_the_same_as_json(self):
        assert load(yaml.safe_dump(json.loads(DEEP_SKY), allow_unicode=True)) == load(DEEP_SKY)

    def test_yaml_scalars_stay_text(self):
        track = "{role: picture, items: [{color: '#123', length: 1:30}]}"
        text = f"schema: timeline/1\ntitle: no\nsequence: {{tracks: [{track}]}}"
        read = load(text)
        assert read.title == "no"
        item = read.sequence.tracks[0].items[0]
        assert isinstance(item, Clip)
        assert item.length is not None
        assert item.length.value is not None
        assert item.length.value.seconds == 90

    def test_ids_come_from_the_position(self):
        assert [item.id for item in load(DEEP_SKY).sequence.tracks[0].items] == ["track-1.1", "track-1.2", "track-1.3"]


class TestFaults:
    def test_all_are_reported_where_they_were_written(self):
        wrong = json.loads(DEEP_SKY, parse_float=str)
        items = wrong["sequence"]["tracks"][0]["items"]
        items[0]["lenght"] = "5"
        items[0]["fit"] = "covr"
        items[1]["transition"] = "crosfade"
        items[2]["layout"] = {"anchr": "top"}
        wrong["sequence"]["tracks"][5]["items"][0]["fade_in"] = "soon"
        wrong["profiles"] = ["short-9x16"]
        del wrong["schema"]
        assert set(faults(wrong)) == {
            ("E_MISSING_FIELD", "/schema"),
            ("E_VALUE", "/profiles/0"),
            ("E_UNKNOWN_FIELD", "/sequence/tracks/0/items/0/lenght"),
            ("E_UNKNOWN_WORD", "/sequence/tracks/0/items/0/fit"),
            ("E_VALUE", "/sequence/tracks/0/items/1/transition"),
            ("E_UNKNOWN_FIELD", "/sequence/tracks/0/items/2/layout/anchr"),
            ("E_VALUE", "/sequence/tracks/5/items/0/fade_in"),
        }

    def test_an_unknown_field_names_the_nearest(self):
        with pytest.raises(TimelineError) as caught:
            parse(document(pictures({"asset": "p1", "lenght": "5"})))
        (fault,) = caught.value.faults
        assert fault.fix == "Did you mean 'length'?"
        assert "length" in fault.allowed
        assert fault.item_id == ""

    def test_an_unknown_word_names_the_nearest(self):
        with pytest.raises(TimelineError, match="Did you mean 'crossfade'"):
            parse(document(pictures({"transition": "cros-fade", "duration": "1"})))

    @pytest.mark.parametrize(
        "item",
        [
            {"asset": "p1", "text": "both"},
            {"length": "5"},
            {"color": "blue"},
            {"asset": "p1", "place": {"at": "1", "anchor": {"ref": "x"}}},
            {"asset": "p1", "length": {"until": {"ref": ""}}},
            {"asset": "p1", "opacity": "1.5"},
            {"asset": "p1", "motion": {"from": [0, 0, 1, 1], "to": ["0.5", 0, 1, 1]}},
            {"asset": "p1", "motion": {"from": [0, 0, 1, 1], "to": [0, 0, 1, 1], "ease": "bouncy"}},
            {"asset": "p1", "length": 0.1},
            {"transition": "wipe", "duration": "1", "params": {"direction": "sideways"}},
            {"transition": "wipe", "duration": "1", "in_offset": "1"},
            {"gap": "soon"},
        ],
    )
    def test_refuses(self, item):
        assert all(path.startswith("/sequence/tracks/0/items/0") for _, path in faults(document(pictures(item))))


class TestHostileInput:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[",
            "[" * 100_000,
            '{"a":' * 50_000,
            '{"a": 1, "a": 2}',
            '{"a": NaN}',
            '{"schema": ' + "9" * 5000 + "}",
            b"\xff\xfe",
            "a: &x [1]\nb: *x",
            "- " * 5000,
            "a: 1\na: 2",
            "? [1]\n: 2",
            "--- 1\n--- 2",
            "a: b: c",
            "\x00",
            "!!python/object/apply:os.system [ls]",
        ],
    )
    def test_is_a_fault_and_not_a_crash(self, text):
        assert faults(text)

    @pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000])
    def test_deep_yaml_is_a_fault_and_not_a_crash(self, text):
        assert faults(text, format="yaml") == [("E_SYNTAX", "")]

    @settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(st.data())
    def test_any_change_of_a_good_document_gives_faults_or_a_plan_that_resolves(self, data):
        broken = json.loads(DEEP_SKY, parse_float=str)
        for _ in range(data.draw(st.integers(1, 3))):
            _break(broken, data)
        found: tuple[Fault, ...] = ()
        try:
            compile_plan(resolve(parse(broken), deep_sky_media()), "longform-16x9", FONTS, "b")
        except TimelineError as error:
            found = error.faults or pytest.fail("an error without a fault")
        assert all(fault.message for fault in found)

    @given(st.one_of(st.text(), st.binary()))
    def test_any_text_is_a_fault(self, text):
        assert faults(text)


_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.decimals(),
    st.text(max_size=12),
    st.sampled_from(["fill", "media", "0", "-1", "1e9", "voice#s9", "voice#s1", "track-1.1", "45f", "1/3", "#fff"]),
    st.lists(st.integers(), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def _break(node: Any, data: st.DataObject) -> None:
    """Walk to a random place and put something else there, or take it away."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
            node = node[key]
            continue
        if data.draw(st.integers(0, 3)):
            node[key] = data.draw(_JUNK)
        else:
            del node[key]
        return


class TestSchema:
    validator = jsonschema.Draft202012Validator(document_schema())

    def test_accepts_the_short_and_the_canonical_form(self):
        self.validator.check_schema(document_schema())
        self.validator.validate(json.loads(DEEP_SKY))
        self.validator.validate(json.loads(load(DEEP_SKY).model_dump_json()))

    def test_refuses_an_unknown_field(self):
        wrong = json.loads(DEEP_SKY)
        wrong["sequence"]["tracks"][0]["items"][0]["lenght"] = "5"
        assert not self.validator.is_valid(wrong)


def test_a_plan_needs_a_known_profile():
    resolved = resolve(load(DEEP_SKY), deep_sky_media())
    with pytest.raises(TimelineError, match="longform-16x9"):
        compile_plan(resolved, "longfrom-16x9", {}, "b")


class TestBehindTheFirstFaults:
    """Words and unknown fields are put right, so that a second look finds what lies behind them."""

    def faults(self, data):
        with pytest.raises(TimelineError) as caught:
            parse(data)
        return caught.value.faults

    def test_what_can_be_put_right_is(self):
        data = document(pictures({"asset": "p1", "length": "2", "fit": "covr", "fitt": "x", "opacity": "7"}))
        found = self.faults(data)
        assert [fault.path.rpartition("/")[2] for fault in found] == ["fit", "fitt", "opacity"]
        whole = mended(data, found)
        assert whole is not None
        assert whole["sequence"]["tracks"][0]["items"] == [{"asset": "p1", "length": "2", "fit": "cover"}]
        parse(whole)
        assert data["sequence"]["tracks"][0]["items"][0]["fit"] == "covr"

    @pytest.mark.parametrize(
        "more", [{"length": "long"}, {"place": {"at": "x"}}, {"speed": "0"}, {"source": {"in": []}}]
    )
    def test_times_are_never_guessed(self, more):
        data = document(pictures({"asset": "p1", "length": "2", "fit": "covr", **more}))
        assert mended(data, self.faults(data)) is None

    def test_only_what_is_new_is_told(self):
        first = [Fault(code="E_VALUE", message="a", path="/sequence/tracks/0/items/1/fit")]
        same = Fault(code="E_VALUE", message="b", path="/sequence/tracks/0/items/1/style")
        other = Fault(code="E_VALUE", message="c", path="/sequence/tracks/0/items/10")
        warning = Fault(code="W_X", message="d", severity="warning", path="/sequence/tracks/0/items/3")
        assert further(first, [same, other, warning]) == [other]

    def test_a_sentence_about_a_field_leads_to_it(self):
        (fault,) = self.faults(document(pictures({"asset": "p1", "length": "2", "layout": {"opacity": "7"}})))
        assert fault.path == "/sequence/tracks/0/items/0/layout/opacity"
