"""The pictures of docs/timeline.md, and the gallery of everything that is registered, drawn by the renderer itself.

`python -m benchmarks gallery` draws all of it anew into docs/; run it after adding a transition, effect, entrance,
camera path, blend mode or caption effect. Nothing is measured.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from timeline.captions.effects import EFFECTS as CAPTION_EFFECTS
from timeline.effects import EFFECTS
from timeline.params import Kind
from timeline.presets import CAMERA, ENTRANCES
from timeline.schema import schema_text
from timeline.stage import BLEND_MODES
from timeline.transitions import TRANSITIONS

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "pictures" / "timeline"
PHOTOS = ROOT / "domain" / "catalog" / "demo" / "pictures"
WIDTH = 200
LIMIT = 40_000
"""Largest picture in bytes."""
FIRST, SECOND, THIRD = "earth-blue-marble", "hubble-detail-spirals", "eileen-collins"
_NAMES = (FIRST, SECOND, THIRD)
DIRECTIONS = ("right", "left", "down", "up")
SCRIPTS = (
    "The deep sky",
    "Το σύμπαν",
    "Вселенная",
    "الكون العميق",
    "השמיים",
    "ब्रह्मांड",
    "จักรวาล",
    "深空",
    "深い宇宙",
    "깊은 우주",
)
SHOWN: dict[str, dict[str, Any]] = {
    "lut": {"asset": "warm"},
    "blur": {"radius": "0.04"},
    "contrast": {"amount": "1.6"},
    "brightness": {"amount": "0.25"},
    "saturation": {"amount": "2"},
    "grain": {"amount": "0.2", "size": "3"},
    "sharpen": {"amount": "2.5", "radius": "0.006"},
    "vignette": {"amount": "0.8"},
}
"""Parameters with which an effect shows in a small picture."""
WARM = (("0.10", "0.02", "0.20"), ("1.00", "0.92", "0.70"))
"""A look-up table of two points per side: what black and white become."""
Tracks = list[dict[str, Any]]


def picture(*items: dict[str, Any]) -> dict[str, Any]:
    return {"role": "picture", "items": list(items)}


def overlay(*items: dict[str, Any]) -> dict[str, Any]:
    return {"role": "overlay", "items": list(items)}


def concepts() -> Iterator[tuple[str, Tracks, list[int]]]:
    """Every concept of the language: name, tracks, frames (at 30 per second)."""
    ground = picture({"asset": SECOND, "length": "2"})
    sized = {"asset": THIRD, "length": "2", "size": ["0.3", None], "position": ["0.3", "0.5"]}
    yield (
        "fit",
        [
            picture(
                {"asset": THIRD, "length": "1", "fit": "cover", "focus": ["0.5", "0.2"]},
                {"asset": THIRD, "length": "1", "fit": "contain"},
                {"asset": THIRD, "length": "1", "fit": "contain", "backdrop": "#223344"},
                {"asset": THIRD, "length": "1", "fit": "fill"},
            )
        ],
        [15, 45, 75, 105],
    )
    yield (
        "layout",
        [
            ground,
            overlay({**sized, "radius": "40px", "shadow": True}),
            overlay(
                {**sized, "position": ["0.72", "0.5"], "rotation": "12", "opacity": "0.8", "crop": [0, 0, 0, "0.4"]}
            ),
        ],
        [10],
    )
    yield "motion", [picture({"asset": FIRST, "length": "3", "motion": "zoom-in"})], [0, 45, 89]
    keys = [
        {"t": "0", "v": "-700", "ease": "out"},
        {"t": "0.8", "v": "0"},
        {"t": "end-0.5", "v": "0"},
        {"t": "end", "v": "700"},
    ]
    yield (
        "keyframes",
        [
            ground,
            overlay({"text": "Keyframes", "length": "2", "animations": [{"property": "x", "keys": keys}]}),
        ],
        [4, 12, 30, 55],
    )
    yield (
        "generators",
        [
            picture({"gradient": {"colors": ["#0b1020", "#1f6f8b", "#f6ae2d"], "angle": "30"}, "length": "2"}),
            overlay({"shape": "star", "length": "2", "size": ["20vh", "20vh"], "position": ["0.15", "0.4"]}),
            overlay(
                {
                    "shape": {"shape": "ellipse", "stroke": "#ffffff", "stroke_width": 8},
                    "length": "2",
                    "position": ["0.4", "0.4"],
                }
            ),
            overlay(
                {"qr": "https://example.org", "length": "2", "size": ["34vh", "34vh"], "position": ["0.75", "0.4"]}
            ),
            overlay(
                {"progress": {"color": "#ffd23f", "ground": "#33415c"}, "length": "2", "position": ["0.5", "0.88"]}
            ),
        ],
        [20, 50],
    )
    yield (
        "layers",
        [
            picture({"asset": FIRST, "length": "2"}),
            picture({"asset": SECOND, "length": "2", "size": ["0.45", None], "position": ["0.28", "0.3"]}),
            picture(
                {"asset": THIRD, "length": "2", "size": ["0.3", None], "position": ["0.78", "0.62"], "radius": "24px"}
            ),
        ],
        [10],
    )
    yield (
        "text",
        [
            picture({"asset": FIRST, "length": "3"}),
            overlay(
                {"text": "A title", "style": "title", "length": "1"},
                {"text": "Somebody\nwith a name", "style": "lower-third", "length": "1"},
                {"text": "A card for a thought that needs some room.", "style": "caption-card", "length": "1"},
            ),
        ],
        [15, 45, 75],
    )
    titles = [{"text": text, "length": "1"} for text in SCRIPTS]
    yield (
        "scripts",
        [picture({"asset": FIRST, "length": str(len(titles))}), overlay(*titles)],
        [15 + 30 * k for k in range(len(titles))],
    )
    row = [{"asset": name, "length": "1"} for name in (FIRST, SECOND)]
    yield "cut", [picture(row[0], {"transition": "crossfade", "duration": "0.5"}, row[1])], [15, 26, 30, 34, 45]


@dataclass(frozen=True)
class Entry:
    """Something that is registered: frames of its tracks are shown side by side; `ways` are more of these."""

    section: str
    name: str
    tracks: Tracks
    frames: Sequence[int]
    summary: str = ""
    parameters: str = ""
    ways: Mapping[str, Tracks] = field(default_factory=dict)

    @property
    def pictures(self) -> Mapping[str, Tracks]:
        """File names without ending, and what they show."""
        name = f"{self.section.lower().replace(' ', '-')}-{self.name}"
        return {f"{name}-{way}": tracks for way, tracks in self.ways.items()} or {name: self.tracks}


def registered() -> Iterator[Entry]:
    """Everything that is registered, section by section."""
    for name, kind in TRANSITIONS.items():
        ways = {way: crossing(name, direction=way) for way in DIRECTIONS} if "direction" in kind.params else {}
        # The picture before, a quarter, half, three quarters, and the picture after.
        yield Entry("Transitions", name, crossing(name), [39, 49, 59, 69, 80], kind.summary, _parameters(kind), ways)
    for name, kind in EFFECTS.items():
        use: dict[str, Any] = {"effect": name, **SHOWN.get(name, {})}
        face = {"asset": THIRD, "length": "1", "focus": ["0.5", "0.2"]}
        own = picture(face, {**face, "effects": [use]})
        if name == "chroma-key":
            green = {"color": "#00b140", "length": "1", "size": ["0.5", "0.5"]}
            star = {"shape": "star", "length": "2", "size": ["30vh", "30vh"]}
            own = picture({"asset": FIRST, "length": "2"})
            rows = [own, overlay(green, {**green, "effects": [use]}), overlay(star)]
            yield Entry("Effects", name, rows, [15, 45], kind.summary, _parameters(kind))
            continue
        yield Entry("Effects", name, [own], [15, 45], kind.summary, _parameters(kind))
    for name in CAMERA:
        yield Entry("Camera paths", name, [picture({"asset": FIRST, "length": "2", "motion": name})], [0, 30, 59])
    for name in ENTRANCES:
        item = {"text": "Hello", "length": "2", "animations": [{"preset": name, "duration": "20f"}]}
        yield Entry("Entrances", name, [picture({"asset": SECOND, "length": "2"}), overlay(item)], [3, 8, 25])
    for name in BLEND_MODES:
        item = {"asset": SECOND, "length": "1", "blend": name, "size": ["1", "1"], "fit": "cover"}
        yield Entry("Blend modes", name, [picture({"asset": FIRST, "length": "1"}), overlay(item)], [10])
    for name in CAPTION_EFFECTS:
        voice = {"role": "narration", "items": [{"asset": "voice"}]}
        captions = {"role": "caption", "from": "voice", "effect": name}
        yield Entry("Captions", name, [picture({"asset": FIRST, "length": "fill"}), captions, voice], [20, 38, 56])


def crossing(transition: str, **more: str) -> Tracks:
    """Two pictures with a transition of 40 frames in the middle."""
    a, b = ({"asset": name, "length": "60f"} for name in (FIRST, SECOND))
    params = {"params": more} if more else {}
    return [picture(a, {"transition": transition, "duration": "40f", **params}, b)]


def cube_text() -> str:
    """A small look-up table in the form that editors write: cool shadows, warm lights."""
    rows = [" ".join(WARM[on][c] for c, on in enumerate((r, g, b))) for b in (0, 1) for g in (0, 1) for r in (0, 1)]
    return "LUT_3D_SIZE 2\n" + "\n".join(rows) + "\n"


def _parameters(kind: Kind) -> str:
    return ", ".join(f"`{name}` ({param.default or 'needed'})" for name, param in kind.params.items())


# ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────
class Painter:
    """Draws frames of small documents with the product's own compositor."""

    def __init__(self, folder: Path) -> None:
        from adapters.media.probe import probe_picture
        from adapters.wiring import film_fonts
        from timeline.media import Media, MediaWord

        self._folder, self._fonts = folder, film_fonts()
        paths = {name: PHOTOS / f"{name}.jpg" for name in _NAMES}
        self._paths = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in paths.values()}
        shas = dict(zip(_NAMES, self._paths, strict=True))
        facts = {name: probe_picture(path) for name, path in paths.items()}
        self._media = {
            name: Media(shas[name], "image", facts[name].width, facts[name].height, media_type="image/jpeg")
            for name in _NAMES
        }
        table = folder / "warm.cube"
        table.write_text(cube_text())
        shas["warm"] = hashlib.sha256(table.read_bytes()).hexdigest()
        self._paths[shas["warm"]] = table
        self._media["warm"] = Media(shas["warm"], "lut", media_type="text/x-cube")
        said = ["Every", "word", "is", "shown", "when", "it", "is", "spoken"]
        words = tuple(MediaWord(word, 8_000 + n * 14_000, 20_000 + n * 14_000, 1) for n, word in enumerate(said))
        self._media["voice"] = Media("0" * 64, "audio", duration=Fraction(3), sample_rate=48_000, words=words)

    def strip(self, tracks: Tracks, frames: Sequence[int], out: Path) -> None:
        """Write frames side by side as WebP of at most 40 kB."""
        from PIL import Image

        from adapters.media.excerpts import drawn
        from adapters.media.ground import rgb_of_planes
        from domain.production.ports import Assets
        from timeline.compile import compile_plan
        from timeline.loading import parse
        from timeline.resolve import resolve

        document = {
            "schema": "timeline/1",
            "profiles": ["preview"],
            "assets": {name: {"uri": name} for name in self._media},
            "sequence": {"fps": "30", "tracks": tracks},
        }
        plan = compile_plan(resolve(parse(document), self._media), "preview", self._fonts, "gallery")
        pictures = [
            Image.fromarray(rgb_of_planes(planes)) for planes in drawn(plan, Assets(self._paths), frames, self._folder)
        ]
        wide = len(pictures) == 1 or any(track["role"] == "caption" for track in tracks)
        width = 2 * WIDTH if wide else WIDTH
        height = round(width * plan.output.height / plan.output.width)
        whole = Image.new("RGB", (len(pictures) * (width + 4) - 4, height), "#ffffff")
        for place, each in enumerate(pictures):
            whole.paste(each.resize((width, height), Image.Resampling.LANCZOS), (place * (width + 4), 0))
        for quality in (82, 70, 58, 45, 30):
            whole.save(out, "WEBP", quality=quality, method=6)
            if out.stat().st_size <= LIMIT:
                break


def draw_all(painter: Painter) -> Iterator[tuple[str, Exception | None]]:
    """Draw every picture; answers names and what went wrong with them."""
    jobs = [(f"concept-{name}", tracks, frames) for name, tracks, frames in concepts()]
    jobs += [(name, tracks, list(each.frames)) for each in registered() for name, tracks in each.pictures.items()]
    for name, tracks, frames in jobs:
        try:
            painter.strip(tracks, frames, OUT / f"{name}.webp")
            yield name, None
        except Exception as error:  # the others are still worth having
            yield name, error


def gallery_text() -> str:
    """The gallery page: whatever is registered, with its picture."""
    lines = [
        "# Gallery",
        "",
        "Drawn by `python -m benchmarks gallery` with the renderer itself; see [timeline.md](timeline.md).",
    ]
    lines.append("Transitions show 0, 25, 50, 75 and 100 % of their way; effects the picture before and after.")
    section = ""
    for each in registered():
        if each.section != section:
            lines += ["", f"## {each.section}"]
            section = each.section
        lines += ["", f"### {each.name}", ""]
        lines += [each.summary, ""] if each.summary else []
        lines += [f"Parameters: {each.parameters}.", ""] if each.parameters else []
        shown = SHOWN.get(each.name, {}) if each.section == "Effects" else {}
        if shown and each.name != "lut":
            lines += ["Shown with " + ", ".join(f"`{key}: {value}`" for key, value in shown.items()) + ".", ""]
        lines += [f"Directions from top to bottom: {', '.join(each.ways)}.", ""] if each.ways else []
        # A picture of several lines is one paragraph, so that they stand under each other.
        shows = [f"{each.name} {way}" for way in each.ways] or [each.name]
        lines += [
            f"![{what}](pictures/timeline/{name}.webp)\\" for what, name in zip(shows, each.pictures, strict=True)
        ]
        lines[-1] = lines[-1].removesuffix("\\")
    return "\n".join(lines) + "\n"


def documents() -> Mapping[Path, str]:
    """Files of the docs that are generated."""
    return {
        ROOT / "docs" / "timeline-gallery.md": gallery_text(),
        ROOT / "docs" / "timeline.schema.json": schema_text(),
    }


def main(arguments: Sequence[str]) -> int:
    """Draw everything; answers 1 when a picture could not be made or is too large."""
    OUT.mkdir(parents=True, exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, error in draw_all(Painter(Path(folder))):
            size = (OUT / f"{name}.webp").stat().st_size if error is None else 0
            if error is not None or size > LIMIT:
                failed += 1
                print(f"  {name}: {error or f'{size} bytes'}")
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
    total = sum(path.stat().st_size for path in OUT.glob("*.webp"))
    print(f"{len(list(OUT.glob('*.webp')))} pictures, {total / 1e6:.2f} MB, {failed} failed")
    return 1 if failed else 0
