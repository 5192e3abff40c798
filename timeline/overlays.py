"""Everything above the base picture: pictures with transparency, texts and generators, as sheets on the film.

What stands still and is only faded becomes an Overlay or a TextState, which are cheap; anything else a Layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from timeline.boxes import box_of
from timeline.document import Clip, Layout
from timeline.drawing import Drawer
from timeline.faults import Findings
from timeline.layers import Cut, Keys, Layer, Make, Sheet
from timeline.plan import Box, Overlay, TextState
from timeline.resolved import ResolvedItem, ResolvedTrack
from timeline.scenes import Scene, mixed, scenes_of
from timeline.texts import TextMaker, report_missing
from timeline.time import round_half_up
from timeline.titles import SetText

__all__ = ["OverlayMaker", "report_missing"]


@dataclass
class OverlayMaker:
    """Makes the sheets of tracks for one profile."""

    texts: TextMaker
    drawer: Drawer
    findings: Findings
    deep: bool = False
    """Inside a group only layers may lie."""

    def sheets(self, tracks: list[ResolvedTrack]) -> list[Sheet]:
        """Answer all sheets, bottom to top."""
        return [sheet for track in tracks for sheet in self._track(track)]

    def _track(self, track: ResolvedTrack) -> list[Sheet]:
        sheets: list[Sheet] = []
        scenes = scenes_of(track.items)
        for number, scene in enumerate(scenes):
            if scene.before is not None:
                previous = scenes[number - 1] if number and scenes[number - 1].stop == scene.first else None
                sheets.append(mixed(self.drawer, scene.before, previous, scene, track.role == "picture"))
            sheets += self._scene(scene, track.role == "picture")
            following = scenes[number + 1] if number + 1 < len(scenes) else None
            if scene.after is not None and (following is None or following.first != scene.stop):
                sheets.append(mixed(self.drawer, scene.after, scene, None, track.role == "picture"))
        return sheets

    def _scene(self, scene: Scene, picture: bool) -> list[Sheet]:
        item, clip = scene.item, self.drawer.shown(scene.item)
        if item is None or clip is None:
            return []
        begin, stop = scene.body
        plain = not (self.deep or picture or scene.before or scene.after)
        if plain and (sheet := self._plain(item, clip)):
            return [sheet]
        draw = self.drawer.draw(item, clip, *scene.seen, picture=picture)
        return [Cut(begin, stop, scene.seen[0], draw)] if draw and stop > begin else []

    def _plain(self, item: ResolvedItem, clip: Clip) -> Sheet | None:
        """Answer a still sheet of what needs no more than that."""
        if clip.text is not None and _stands_still(clip):
            done = self.texts.set(item, clip)
            return self._faded(item, clip, _written(done)) if done else None
        media = self.texts.timeline.media.get(clip.asset or "")
        whole = clip.layout.size is None or None in clip.layout.size or clip.layout.fit == "fill"
        if media is None or media.kind != "image" or not whole or not _stands_still(clip):
            return None
        box = box_of(clip.layout, (media.width, media.height), self.texts.profile, self.texts.px)
        self.drawer.check_inside(item, box)
        return self._faded(item, clip, _shown(media.sha256, box))

    def _faded(self, item: ResolvedItem, clip: Clip, make: Make) -> Layer:
        fps = self.texts.timeline.fps
        fades = [round_half_up(fade.at(fps) * fps) if fade else 0 for fade in (clip.fades.in_, clip.fades.out)]
        if not self.drawer.fades_fit(item, fades):
            fades = [0, 0]
        return Layer(item.first, item.stop, make, clip.layout.opacity, *fades)


def _stands_still(clip: Clip) -> bool:
    """Whether a clip is only placed and faded, which overlays can do."""
    plain = Layout(
        fit=clip.layout.fit,
        backdrop=clip.layout.backdrop,
        focus=clip.layout.focus,
        anchor=clip.layout.anchor,
        position=clip.layout.position,
        size=clip.layout.size,
        opacity=clip.layout.opacity,
    )
    return clip.layout == plain and not (clip.animations or clip.effects or clip.motion)


def _shown(asset: str, box: Box) -> Make:
    def make(first: int, frames: int, opacity: Keys) -> Overlay:
        return Overlay(asset=asset, box=box, first=first, frames=frames, opacity=opacity)

    return make


def _written(done: SetText) -> Make:
    def make(first: int, frames: int, opacity: Keys) -> TextState:
        return TextState(style=done.style.name, events=done.events, first=first, frames=frames, opacity=opacity)

    return make
