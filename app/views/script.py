"""The script as people read it, the form for one scene, and what a change would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from app.i18n import Tongue
from app.views.outputs import Item
from domain.catalog.words import reading_seconds
from domain.production.preview import Film, Preview, Share
from domain.production.queries.job import JobDetail
from domain.studio.script import Scene, Script


@dataclass(frozen=True)
class SceneView:
    """One scene. `length` says how long it is spoken, marked as a guess until it is."""

    id: str
    number: int
    title: str
    sentences: tuple[str, ...]
    text: str
    length: str
    picture: Item | None
    sources: tuple[str, ...]
    edited: bool
    href: str
    edit: str


@dataclass(frozen=True)
class ScriptView:
    """A whole script; `language` is the script's own."""

    title: str
    language: str
    note: str
    scenes: tuple[SceneView, ...]

    def scene(self, scene_id: str) -> SceneView | None:
        return next((scene for scene in self.scenes if scene.id == scene_id), None)


def make_script(
    tongue: Tongue,
    detail: JobDetail,
    film: Film,
    pictures: Sequence[Item],
    sources: Mapping[str, str],
    base: str,
) -> ScriptView:
    """Build the tab; `sources` maps ids of facts to where they come from."""
    script, lengths = film.script, _lengths(tongue, film)
    shown = {PurePosixPath(item.name).stem: item for item in pictures}
    edits = detail.job.spec.get("script_edits", {})
    scenes = tuple(
        SceneView(
            id=scene.id,
            number=number,
            title=scene.title,
            sentences=tuple(sentence.text for sentence in scene.sentences),
            text="\n".join(sentence.text for sentence in scene.sentences),
            length=lengths[scene.id],
            picture=shown.get(scene.id),
            sources=_sources(scene, sources),
            edited=scene.id in edits,
            href=f"{base}/script#scene-{scene.id}",
            edit=f"{base}/script?scene={scene.id}",
        )
        for number, scene in enumerate(script.scenes, start=1)
    )
    return ScriptView(script.title, script.language, _note(tongue, script), scenes)


def _note(tongue: Tongue, script: Script) -> str:
    parts = [
        tongue.ngettext("%(num)s scene", "%(num)s scenes", len(script.scenes)),
        tongue.ngettext("%(num)s sentence", "%(num)s sentences", len(script.sentences())),
        tongue.ngettext("%(num)s word", "%(num)s words", script.words()),
    ]
    return " · ".join(parts)


def _lengths(tongue: Tongue, film: Film) -> dict[str, str]:
    if film.narration is None:
        return {scene.id: _guess(tongue, scene, film.script.language) for scene in film.script.scenes}
    rate = int(film.narration["sample_rate"])
    spoken = {scene["id"]: (int(scene["end"]) - int(scene["start"])) / rate for scene in film.narration["scenes"]}
    return {scene.id: tongue.duration(spoken.get(scene.id, 0.0)) for scene in film.script.scenes}


def _guess(tongue: Tongue, scene: Scene, language: str) -> str:
    seconds = sum(reading_seconds(sentence.text, language) for sentence in scene.sentences)
    return tongue.gettext("about %(time)s", time=tongue.duration(round(seconds)))


def _sources(scene: Scene, sources: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sources[fact] for fact in scene.facts if sources.get(fact)))


# ── What a change would do ────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Line:
    """A line of the preview: what, how much is made again, how much is kept."""

    name: str
    made: str
    kept: str


@dataclass(frozen=True)
class Outlook:
    """The preview as shown; `time` and `price` are estimates."""

    lines: tuple[Line, ...]
    time: str
    price: str


def make_outlook(tongue: Tongue, found: Preview) -> Outlook:
    """Say what a change will make again and what it keeps."""
    everything, nothing = tongue.gettext("the whole film"), tongue.gettext("nothing")
    lines = [
        _line(tongue, tongue.gettext("Sentences"), found.sentences),
        _line(tongue, tongue.gettext("Pictures"), found.pictures),
        _segments(tongue, found.segments),
        Line(tongue.gettext("Sound mix"), everything, nothing),
        Line(tongue.gettext("Joining and checks"), everything, nothing),
    ]
    return Outlook(
        lines=tuple(lines),
        time=tongue.gettext("about %(time)s", time=tongue.rough(found.seconds)),
        price=tongue.money(found.micro_dollars),
    )


def _line(tongue: Tongue, name: str, share: Share) -> Line:
    return Line(name, tongue.number(share.made), tongue.number(share.kept))


def _segments(tongue: Tongue, share: Share | None) -> Line:
    name = tongue.gettext("Video segments")
    if share is None:
        return Line(name, tongue.gettext("all, the film is not planned yet"), tongue.gettext("nothing"))
    return Line(
        name,
        tongue.gettext("at most %(number)s", number=tongue.number(share.made)),
        tongue.gettext("at least %(number)s", number=tongue.number(share.kept)) if share.kept else tongue.number(0),
    )
