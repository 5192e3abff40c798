"""A step's key changes exactly when something that shapes its outputs does."""

import dataclasses
from typing import Any

import pytest

from domain.catalog.bodies import SsmlPreset, VideoPreset, VoicePreset
from domain.production.pipeline import check, compose, illustrate, mux, narrate, package, render, script
from domain.production.spec import ProjectPart, SceneEdit, SsmlPart, VideoPart, VoicePart
from tests.support.specs import make_spec, make_work, ref

MODULES = {module.KIND: module for module in (script, narrate, illustrate, compose, render, mux, check, package)}
VOICE = VoicePart(ref=ref("preset", "v"), body=VoicePreset(voice="en-gb", language="en"))
PAUSES = SsmlPart(ref=ref("preset", "s"), body=SsmlPreset(pauses={"sentence": 900}))
LOOK = VideoPart(ref=ref("preset", "w"), body=VideoPreset(zoom="0.02"))
OTHER_PROJECT = ProjectPart(id="other", slug="x", name="Other name", palette="other")


def key_of(kind: str, spec: Any = None, **changes: Any) -> Any:
    step = {"shard": "000", "spec": {"key": "node", "segment": 0}} if kind == "render" else {}
    return MODULES[kind].key(make_work(kind, spec, step=step, **changes))


@pytest.mark.parametrize("kind", list(MODULES))
def test_equal_inputs_of_different_jobs_have_equal_keys(kind):
    spec = make_spec()
    assert key_of(kind, spec) == key_of(kind, spec)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("script", {"topic": "Another topic"}),
        ("script", {"seconds": 31}),
        ("script", {"language": "pt-BR"}),
        ("script", {"knowledge": []}),
        ("script", {"validators": []}),
        ("script", {"script_edits": {"s1": SceneEdit(sentences=["New."])}}),
        ("script", {"salt": "again"}),
        ("narrate", {"voice": VOICE}),
        ("narrate", {"ssml": PAUSES}),
        ("illustrate", {"library": []}),
        ("illustrate", {"profile": "shorts-9x16"}),
        ("illustrate", {"project": OTHER_PROJECT}),
        ("compose", {"video": LOOK}),
        ("compose", {"profile": "shorts-9x16"}),
        ("package", {"project": OTHER_PROJECT}),
    ],
)
def test_changes_when_a_choice_that_shapes_it_changes(kind, change):
    assert key_of(kind, make_spec()) != key_of(kind, make_spec(**change))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("script", {"voice": VOICE}),
        ("script", {"video": LOOK}),
        ("narrate", {"topic": "Another topic"}),
        ("narrate", {"library": []}),
        ("illustrate", {"voice": VOICE}),
        ("illustrate", {"seconds": 31}),
        ("compose", {"voice": VOICE}),
        ("mux", {"topic": "Another topic", "voice": VOICE, "video": LOOK}),
        ("check", {"topic": "Another topic", "voice": VOICE, "video": LOOK}),
    ],
)
def test_stays_when_the_change_cannot_reach_it(kind, change):
    spec = make_spec()
    assert key_of(kind, spec) == key_of(kind, spec.model_copy(update=change))


@pytest.mark.parametrize(
    ("kind", "above"),
    [
        ("narrate", {"script": {"script": "0" * 64}}),
        ("illustrate", {"script": {"script": "0" * 64}}),
        ("compose", {"narrate": {"wav": "0" * 64, "narration": "3" * 64}}),
        ("compose", {"illustrate": {"pictures": []}}),
        ("check", {"mux": {"film": "0" * 64, "frames": 900}}),
        ("package", {"mux": {"film": "0" * 64, "frames": 900}}),
    ],
)
def test_changes_with_what_it_rests_on(kind, above):
    spec = make_spec()
    assert key_of(kind, spec) != key_of(kind, spec, **above)


def test_the_tools_that_shape_bytes_are_part_of_every_making_step():
    for kind in ("script", "narrate", "illustrate", "compose", "mux", "check", "package"):
        work = make_work(kind, make_spec())
        other = dataclasses.replace(work, build="another ffmpeg")
        assert MODULES[kind].key(work) != MODULES[kind].key(other), kind
