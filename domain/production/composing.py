"""From script, narration and pictures to a timeline document: the director's decisions, pure and repeatable.

Every picture hangs on the sentence it belongs to (anchors), so a changed narration moves it along by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from domain.catalog.bodies import VideoPreset
from domain.studio.script import Scene, Script

LEAD_IN = 15
TAIL = 45
"""Frames of picture and music before the first and after the last word: whole frames, so that cuts stay on them."""

ZOOM_PER_SECOND = Decimal("0.012")
COVER_KEEPS = Fraction(3, 5)
"""A picture is cropped to fill the canvas only if at least this share of it stays visible…"""
MAX_UPSCALE = Fraction(3, 2)
"""…and it need not be enlarged by more than this; else it is framed on its own blur."""


@dataclass(frozen=True)
class ScenePicture:
    """The picture chosen for a scene; `origin` is library or the name of its maker."""

    scene: str
    sha256: str
    width: int
    height: int
    focus: tuple[str, str] = ("0.5", "0.5")
    origin: str = "library"


@dataclass(frozen=True)
class Ingredients:
    """All that a film is composed of; hashes are content addresses in the tenant's object store."""

    script: Script
    narration: Mapping[str, Any]
    narration_sha: str
    words_sha: str
    pictures: Sequence[ScenePicture]
    project_name: str
    logo_sha: str | None
    music_sha: str | None


def compose_document(parts: Ingredients, video: VideoPreset, profile: str, canvas: tuple[int, int]) -> dict[str, Any]:
    """Answer the timeline document (authoring form) of a film."""
    return {
        "schema": "timeline/1",
        "title": parts.script.title,
        "language": parts.script.language,
        "profiles": [profile],
        "variables": {"title": {"type": "text", "default": parts.script.title}},
        "assets": _assets(parts),
        "sequence": {
            "fps": video.fps,
            "canvas": list(canvas),
            "background": "#05070d",
            "duration": str(_total(parts, Fraction(video.fps))),
            "tracks": [track for track in _tracks(parts, video, canvas) if track["items"] or track.get("from")],
        },
    }


def _total(parts: Ingredients, fps: Fraction) -> Fraction:
    return Fraction(int(parts.narration["samples"]), int(parts.narration["sample_rate"])) + (LEAD_IN + TAIL) / fps


def _assets(parts: Ingredients) -> dict[str, Any]:
    assets: dict[str, Any] = {
        "voice": {"uri": f"sha256:{parts.narration_sha}", "words": f"sha256:{parts.words_sha}"},
    }
    for picture in parts.pictures:
        assets[f"picture-{picture.scene}"] = {"uri": f"sha256:{picture.sha256}", "focus": list(picture.focus)}
    if parts.logo_sha:
        assets["logo"] = {"uri": f"sha256:{parts.logo_sha}"}
    if parts.music_sha:
        assets["bed"] = {"uri": f"sha256:{parts.music_sha}"}
    return assets


def _tracks(parts: Ingredients, video: VideoPreset, canvas: tuple[int, int]) -> list[dict[str, Any]]:
    tracks: list[dict[str, Any]] = [
        {"role": "picture", "items": _picture_items(parts, video, canvas)},
        {"role": "overlay", "items": _logo_items(parts, video, canvas)},
        {"role": "overlay", "items": _title_items(parts, video)},
    ]
    if video.captions != "none":
        tracks.append({"role": "caption", "from": "voice", "effect": video.captions, "items": []})
    tracks.append({"role": "narration", "items": [{"id": "voice", "asset": "voice", "place": {"at": f"{LEAD_IN}f"}}]})
    tracks.append(
        {
            "role": "music",
            "duck_by": {"by": "narration", "amount_db": video.duck_db},
            "items": _music_items(parts, video),
        }
    )
    return tracks


def _picture_items(parts: Ingredients, video: VideoPreset, canvas: tuple[int, int]) -> list[dict[str, Any]]:
    first_sentence = _first_sentence_numbers(parts.script)
    spans = _scene_spans(parts.narration)
    by_scene = {picture.scene: picture for picture in parts.pictures}
    items: list[dict[str, Any]] = []
    scenes = parts.script.scenes
    for index, scene in enumerate(scenes):
        if index:
            shorter = min(spans[scenes[index - 1].id], spans[scene.id])
            items.append({"transition": video.transition, "duration": transition_length(video, shorter)})
        last = index == len(scenes) - 1
        until = None if last else {"ref": f"voice#s{first_sentence[scenes[index + 1].id]}", "edge": "start"}
        items.append(_picture_item(by_scene[scene.id], scene, index, spans[scene.id], until, video, canvas))
    return items


def transition_length(video: VideoPreset, shorter: Fraction) -> str:
    """Answer the transition's length in whole frames: the preset's, but at most a third of the shorter neighbour."""
    fps = Fraction(video.fps)
    return f"{max(1, int(min(Fraction(video.transition_seconds), shorter / 3) * fps))}f"


def _picture_item(
    picture: ScenePicture,
    scene: Scene,
    index: int,
    seconds: Fraction,
    until: Mapping[str, str] | None,
    video: VideoPreset,
    canvas: tuple[int, int],
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": f"picture-{scene.id}",
        "asset": f"picture-{scene.id}",
        "length": {"until": dict(until)} if until else "fill",
        **fit_picture((picture.width, picture.height), canvas),
    }
    if video.motion:
        item["motion"] = choose_motion(f"{scene.id}:{picture.sha256}", index, seconds, video.zoom, picture.focus)
    return item


def fit_picture(picture: tuple[int, int], canvas: tuple[int, int]) -> dict[str, str]:
    """Decide how a picture fills the canvas: cropped when little is lost, else whole on its own blur."""
    across, down = Fraction(canvas[0], picture[0]), Fraction(canvas[1], picture[1])
    kept = min(across, down) / max(across, down)
    if kept >= COVER_KEEPS and max(across, down) <= MAX_UPSCALE:
        return {"fit": "cover"}
    return {"fit": "contain", "backdrop": "blur"}


def choose_motion(seed: str, index: int, seconds: Fraction, zoom_limit: str, focus: tuple[str, str]) -> dict[str, Any]:
    """Choose a slow camera path: in and out by turns, drifting towards what matters, never faster than the limit."""
    amount = min(Decimal(zoom_limit), ZOOM_PER_SECOND * Decimal(seconds.numerator) / Decimal(seconds.denominator))
    size = (Decimal(1) / (1 + amount)).quantize(Decimal("0.000001"))
    room = 1 - size
    sway = Decimal(hashlib.sha256(seed.encode()).digest()[0]) / 255 / 2
    x = (room * (Decimal(focus[0]) + sway) / Decimal("1.5")).quantize(Decimal("0.000001"))
    y = (room * Decimal(focus[1])).quantize(Decimal("0.000001"))
    whole, near = ["0", "0", "1", "1"], [str(x), str(y), str(size), str(size)]
    start, end = (whole, near) if index % 2 == 0 else (near, whole)
    return {"from": start, "to": end, "ease": "linear"}


def _logo_items(parts: Ingredients, video: VideoPreset, canvas: tuple[int, int]) -> list[dict[str, Any]]:
    if not (video.logo and parts.logo_sha):
        return []
    width = "9vw" if canvas[0] > canvas[1] else "20vw"
    return [
        {
            "id": "logo",
            "asset": "logo",
            "place": {"at": "0"},
            "length": "fill",
            "layout": {"anchor": "top-right", "size": [width, None]},
            "opacity": "0.85",
        }
    ]


def _title_items(parts: Ingredients, video: VideoPreset) -> list[dict[str, Any]]:
    if Decimal(video.title_seconds) <= 0 or parts.pictures[0].origin != "library":
        return []  # a board that was made for the first scene carries the title itself
    return [
        {
            "id": "title",
            "text": "{{title}}",
            "style": "title",
            "place": {"at": "0.3"},
            "length": video.title_seconds,
            "fade_in": "0.4",
            "fade_out": "0.5",
        }
    ]


def _music_items(parts: Ingredients, video: VideoPreset) -> list[dict[str, Any]]:
    if not (video.music and parts.music_sha):
        return []
    return [
        {
            "id": "bed",
            "asset": "bed",
            "loop": True,
            "fade_in": "0.8",
            "fade_out": "1.6",
            "audio": {"gain_db": video.music_gain_db},
        }
    ]


def _first_sentence_numbers(script: Script) -> dict[str, int]:
    """Number of each scene's first sentence, counted from 1 over the whole narration."""
    numbers: dict[str, int] = {}
    count = 1
    for scene in script.scenes:
        numbers[scene.id] = count
        count += len(scene.sentences)
    return numbers


def _scene_spans(narration: Mapping[str, Any]) -> dict[str, Fraction]:
    rate = int(narration["sample_rate"])
    return {scene["id"]: Fraction(int(scene["end"]) - int(scene["start"]), rate) for scene in narration["scenes"]}


def timeline_words(narration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Answer the narration's words in the timeline's form: samples at 48 kHz and the number of the sentence."""
    return [
        {
            "text": word["text"],
            "start": int(word["start"]),
            "end": int(word["end"]),
            "sentence": number,
            "source": word.get("source", "synth"),
        }
        for number, sentence in enumerate(narration["sentences"], start=1)
        for word in sentence["words"]
    ]
