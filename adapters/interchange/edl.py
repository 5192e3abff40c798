"""The base picture as a CMX3600 edit list, with everything that such a list cannot say named."""

from __future__ import annotations

from fractions import Fraction

from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.scenes import Scene, scenes_of
from timeline.staging import base_of, visible
from timeline.time import round_half_up

MAX_EVENTS = 999


def write_edl(resolved: ResolvedTimeline) -> tuple[str, list[str]]:
    """Answer the edit list and its losses, each a sentence."""
    losses: list[str] = []
    rate = max(round_half_up(resolved.fps), 1)
    if resolved.fps != rate:
        losses.append(f"The frame rate {resolved.fps} is counted as {rate} in time codes (no frames are dropped).")
    tracks = visible(resolved)
    base = base_of(tracks)
    losses += [f"Track {track.id} ({track.role}) is left out." for track in resolved.tracks if track is not base]
    lines = [f"TITLE: {_plain(resolved.title)[:70] or 'UNTITLED'}", "FCM: NON-DROP FRAME", ""]
    number = 0
    for scene in scenes_of(base.items) if base else ():
        if scene.item is None or scene.item.clip is None or not scene.item.clip.enabled:
            continue
        number += 1
        lines += _event(resolved, scene, scene.item, number, rate, losses)
    if number > MAX_EVENTS:
        losses.append(f"There are {number} events; many programs read only {MAX_EVENTS}.")
    return "\n".join(lines) + "\n", losses


def _event(
    resolved: ResolvedTimeline, scene: Scene, item: ResolvedItem, number: int, rate: int, losses: list[str]
) -> list[str]:
    clip = item.clip
    assert clip is not None
    reel = _reel(clip.asset or clip.content)
    back = scene.before.reach[0] if scene.before else 0
    begin = max(round_half_up(item.source_in(resolved.fps) * resolved.fps) - back, 0)
    first, length = item.first - back, item.count + back
    wide = round_half_up(Fraction(length) * clip.speed)
    edit = "C   "
    if scene.before is not None and scene.before.transition is not None:
        edit = f"D    {scene.before.count:03d}"
        if scene.before.transition.transition != "crossfade":
            losses.append(f"{scene.before.id}: {scene.before.transition.transition} becomes a dissolve.")
    times = " ".join(_code(frame, rate) for frame in (begin, begin + wide, first, first + length))
    lines = [
        f"{number:03d}  {reel:<8} V     {edit:<8} {times}",
        f"* FROM CLIP NAME: {_plain(clip.name or item.id)[:60]}",
    ]
    if clip.speed != 1 or clip.reversed:
        signed = float(clip.speed * resolved.fps) * (-1 if clip.reversed else 1)
        lines.append(f"M2   {reel:<8} {signed:>9.1f}                {_code(begin, rate)}")
    losses += [f"{item.id}: {what} is left out." for what in _unsaid(item)]
    return lines


def _unsaid(item: ResolvedItem) -> list[str]:
    """Answer what an edit list has no words for."""
    clip = item.clip
    assert clip is not None
    given = {
        "the camera path": clip.motion is not None,
        "animation": bool(clip.animations),
        "effects": any(effect.enabled and effect.effect not in ("reverse",) for effect in clip.effects),
        "layout": clip.layout != type(clip.layout)(),
        "its own look (it is no file)": clip.asset is None,
        "fades": clip.fades.in_ is not None or clip.fades.out is not None,
    }
    return [what for what, is_given in given.items() if is_given]


def _reel(name: str) -> str:
    return "".join(char for char in name.upper() if char.isascii() and char.isalnum())[:8] or "AX"


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _code(frame: int, rate: int) -> str:
    seconds, frames = divmod(frame, rate)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:02d}"
