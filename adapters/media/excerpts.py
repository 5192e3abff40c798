"""Parts of a film straight from its plan, without rendering it: one frame, a sheet of frames, a stretch to watch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from adapters.media.compositor import Compositor
from adapters.media.encoder import SegmentEncoder
from adapters.media.errors import PlanUnrenderable
from adapters.media.ground import rgb_of_planes
from adapters.media.join import join_film
from adapters.media.planes import Plane, Planes, blank, resize
from adapters.media.sound import make_sound
from domain.production.ports import Assets
from timeline.plan import RenderPlan, Segment, Sound

QUALITY = 90
LARGEST_SHEET = 400
GAP = 8
Report = Callable[[int, int], None]


def segment_at(plan: RenderPlan, frame: int) -> Segment:
    """The segment that holds a film frame. Raises PlanUnrenderable beyond the film's ends."""
    if not 0 <= frame < plan.frames:
        raise PlanUnrenderable(f"The film has frames 0 to {plan.frames - 1}; there is no frame {frame}.")
    return plan.segments[bisect_right([part.start for part in plan.segments], frame) - 1]


def trimmed(segment: Segment, first: int, stop: int) -> Segment:
    """A segment without the texts that do not show in its frames [first, stop), so that they are not drawn."""

    def seen(layer: object) -> bool:
        begin, frames = getattr(layer, "first", 0), getattr(layer, "frames", 0)
        return bool(begin < stop and begin + frames > first)

    return segment.model_copy(
        update={
            "overlays": tuple(each for each in segment.overlays if seen(each)),
            "captions": tuple(each for each in segment.captions if seen(each)),
        }
    )


def drawn(plan: RenderPlan, assets: Assets, frames: Sequence[int], folder: Path) -> Iterator[Planes]:
    """Film frames in rising order; each is valid until the next is asked for."""
    target = blank((plan.output.width, plan.output.height))
    at = 0
    while at < len(frames):
        segment = segment_at(plan, frames[at])
        inside = [frame for frame in frames[at:] if frame < segment.start + segment.frames]
        local = [frame - segment.start for frame in inside]
        part = trimmed(segment, local[0], local[-1] + 1)
        with Compositor(plan, part, assets, folder) as compositor:
            for frame in local:
                compositor.draw(frame, target)
                yield target
        at += len(inside)


def make_frame(plan: RenderPlan, assets: Assets, frame: int, out: Path, folder: Path, width: int = 0) -> None:
    """Write one frame of the film as JPEG, `width` pixels wide (0: as the film)."""
    cv2.setNumThreads(1)
    for planes in drawn(plan, assets, [frame], folder):
        _save(_at_width(rgb_of_planes(planes), width), out)


def _at_width(rgb: Plane, width: int) -> Plane:
    return resize(rgb, (width, max(2, round(rgb.shape[0] * width / rgb.shape[1])))) if width else rgb


def _save(rgb: Plane, out: Path) -> None:
    from PIL import Image

    Image.fromarray(rgb).save(out, "JPEG", quality=QUALITY, optimize=True)


def sheet_frames(plan: RenderPlan, count: int) -> list[int]:
    """Frames for a sheet: the middle of each of `count` equal parts, or of every segment's body when 0."""
    if count:
        return sorted({min(plan.frames - 1, (2 * k + 1) * plan.frames // (2 * count)) for k in range(count)})
    bodies = [part for part in plan.segments if part.kind == "body"] or list(plan.segments)
    return [part.start + part.frames // 2 for part in bodies][:LARGEST_SHEET]


def make_contact_sheet(
    plan: RenderPlan, assets: Assets, out: Path, folder: Path, report: Report, *, count: int, columns: int, width: int
) -> None:
    """Write small frames side by side as one JPEG, each with its time; progress in frames."""
    cv2.setNumThreads(1)
    frames = sheet_frames(plan, min(count, LARGEST_SHEET))
    high = max(2, round(plan.output.height * width / plan.output.width))
    rows = -(-len(frames) // columns)
    sheet = np.full((rows * (high + GAP) + GAP, columns * (width + GAP) + GAP, 3), 24, np.uint8)
    for number, planes in enumerate(drawn(plan, assets, frames, folder)):
        y, x = GAP + number // columns * (high + GAP), GAP + number % columns * (width + GAP)
        small = np.ascontiguousarray(resize(rgb_of_planes(planes), (width, high)))
        _label(small, frames[number], plan)
        sheet[y : y + high, x : x + width] = small
        report(number + 1, len(frames))
    _save(sheet, out)


def _label(image: Plane, frame: int, plan: RenderPlan) -> None:
    seconds = frame * plan.output.rate.den / plan.output.rate.num
    text = f"{int(seconds) // 60}:{seconds % 60:05.2f}"
    scale = max(0.3, image.shape[1] / 640)
    place = (round(8 * scale), image.shape[0] - round(10 * scale))
    for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, max(1, round(thick * scale)), 16)


def make_preview(
    plan: RenderPlan, assets: Assets, first: int, stop: int, out: Path, folder: Path, report: Report
) -> None:
    """Write film frames [first, stop) with their sound as a film of its own; progress in frames."""
    cv2.setNumThreads(1)
    segment_at(plan, first)
    frames = min(stop, plan.frames) - first
    if frames < 1:
        raise PlanUnrenderable(f"A preview from frame {first} to {stop} has no frames.")
    picture, sound = folder / "preview.mp4", folder / "preview.wav"
    size = (plan.output.width, plan.output.height)
    with SegmentEncoder(picture, size, plan.output.rate, plan.output.encoding) as encoder:
        for done, planes in enumerate(drawn(plan, assets, range(first, first + frames), folder)):
            pooled = encoder.take()
            planes.copy_to(pooled.planes)
            encoder.give(pooled)
            report(done + 1, frames)
    part = excerpt_of(plan, first, frames)
    make_sound(part.sound, assets, sound, folder, lambda done, total: None)
    join_film(part, [picture], sound, out, folder, lambda done, total: None)


def excerpt_of(plan: RenderPlan, first: int, frames: int) -> RenderPlan:
    """The plan of a stretch as one segment, with the sounds that are heard in it."""
    scale = plan.sound.sample_rate * plan.output.rate.den
    begin, end = (round(frame * scale / plan.output.rate.num) for frame in (first, first + frames))
    mix = plan.sound.model_copy(
        update={
            "samples": end - begin,
            "sounds": tuple(
                sound.model_copy(update={"start": sound.start - begin})
                for sound in plan.sound.sounds
                if _heard(sound, begin, end)
            ),
            "ducks": tuple(
                duck.model_copy(update={"speech": tuple((a - begin, b - begin) for a, b in duck.speech)})
                for duck in plan.sound.ducks
            ),
        }
    )
    one = segment_at(plan, first).model_copy(update={"index": 0, "start": 0, "frames": frames})
    return plan.model_copy(update={"segments": (one,), "frames": frames, "sound": mix, "cues": ()})


def _heard(sound: Sound, begin: int, end: int) -> bool:
    return sound.start < end and sound.start + sound.samples > begin
