"""Caption files beside the film: SubRip, WebVTT, TTML, ASS and a transcript, from the same cues that are burnt in."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from timeline.captions.joining import glue, joined
from timeline.plan import AssStyle, Cue, CueWord, RenderPlan, TextState


def write_srt(cues: Sequence[Cue], sample_rate: int = 48_000) -> str:
    """Write cues as SubRip: numbered from 1, milliseconds after a comma."""
    blocks = [
        f"{number}\n{_clock(cue.start, sample_rate, ',')} --> {_clock(cue.end, sample_rate, ',')}\n"
        + "\n".join(_one_line(line) for line in cue.lines)
        for number, cue in enumerate(cues, start=1)
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def write_vtt(cues: Sequence[Cue], sample_rate: int = 48_000) -> str:
    """Write cues as WebVTT with a time tag before each word that starts inside its cue."""
    blocks = ["WEBVTT"]
    for number, cue in enumerate(cues, start=1):
        times = f"{_clock(cue.start, sample_rate, '.')} --> {_clock(cue.end, sample_rate, '.')}"
        blocks.append(f"{number}\n{times}\n" + "\n".join(_timed_lines(cue, sample_rate)))
    return "\n\n".join(blocks) + "\n"


def _timed_lines(cue: Cue, rate: int) -> list[str]:
    """Put word times into lines; a line whose words do not match the cue's is written plainly."""
    words = list(cue.words)
    lines: list[str] = []
    last = _millis(cue.start, rate)
    for line in cue.lines:
        count = _words_of_line(line, words)
        if not count:
            return [_vtt_text(line) for line in cue.lines]
        own, words = words[:count], words[count:]
        pieces, last = _timed_words(own, cue, rate, last)
        glued = [glue(a.text, b.text) for a, b in pairwise(own)]
        lines.append("".join(piece + space for piece, space in zip(pieces, [*glued, ""], strict=True)))
    return lines


def _words_of_line(line: str, words: Sequence[CueWord]) -> int:
    """Answer how many of the next words make up a line, 0 when they do not."""
    text = ""
    for count, word in enumerate(words, start=1):
        text = joined([text, word.text]) if text else word.text
        if len(text) >= len(line):
            return count if text == line else 0
    return 0


def _timed_words(words: Sequence[CueWord], cue: Cue, rate: int, last: int) -> tuple[list[str], int]:
    """Tags must increase and lie strictly inside the cue; words without such a time go untagged."""
    pieces: list[str] = []
    for word in words:
        at = _millis(word.start, rate)
        tag = ""
        if last < at < _millis(cue.end, rate):
            tag, last = f"<{_clock(word.start, rate, '.')}>", at
        pieces.append(f"{tag}<c>{_vtt_text(word.text)}</c>")
    return pieces, last


def write_ttml(cues: Sequence[Cue], language: str = "en", sample_rate: int = 48_000) -> str:
    """Write cues as TTML."""
    body = "\n".join(
        f'   <p xml:id="c{number}" begin="{_clock(cue.start, sample_rate, ".")}" '
        + f'end="{_clock(cue.end, sample_rate, ".")}">'
        + "<br/>".join(_xml(line) for line in cue.lines)
        + "</p>"
        for number, cue in enumerate(cues, start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="{html.escape(language)}">\n <body>\n  <div>\n'
        f"{body}\n  </div>\n </body>\n</tt>\n"
    )


def write_transcript(cues: Sequence[Cue], language: str = "en", sample_rate: int = 48_000) -> str:
    """Write cues and words as JSON, in samples of the film."""
    whole = {"language": language, "sample_rate": sample_rate, "cues": [cue.model_dump() for cue in cues]}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


# ── ASS ───────────────────────────────────────────────────────────────────────────────────────────────────
_ASS_HEAD = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: TV.709

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
{styles}

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def write_ass(plan: RenderPlan) -> str:
    """Write the captions of a plan exactly as they are burnt in; needs the same typefaces to look the same."""
    used = sorted({state.style for segment in plan.segments for state in segment.captions})
    styles = [style for style in plan.styles if style.name in used]
    head = _ASS_HEAD.format(
        width=plan.output.width, height=plan.output.height, styles="\n".join(_style_line(style) for style in styles)
    )
    return head + "".join(_dialogues(plan))


def _style_line(style: AssStyle) -> str:
    return f"Style: {style.name},{style.value}"


def _dialogues(plan: RenderPlan) -> Iterator[str]:
    """Times are taken from absolute frames, so that centiseconds never add up to a drift."""
    for segment in plan.segments:
        for state in segment.captions:
            begin, end = (_ass_clock(segment.start + frame, plan) for frame in _frames(state))
            for layer, event in enumerate(state.events):
                yield f"Dialogue: {layer},{begin},{end},{state.style},,0,0,0,,{event}\n"


def _frames(state: TextState) -> tuple[int, int]:
    return state.first, state.first + state.frames


def _ass_clock(frame: int, plan: RenderPlan) -> str:
    rate = plan.output.rate
    centis = (2 * frame * rate.den * 100 + rate.num) // (2 * rate.num)
    seconds, centis = divmod(centis, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{centis:02d}"


def _xml(text: str) -> str:
    return html.escape("".join(char for char in _one_line(text) if char.isprintable()), quote=False)


def _vtt_text(text: str) -> str:
    return html.escape(_one_line(text), quote=False)


def _one_line(text: str) -> str:
    """Keep a text from ending its block or looking like a time line."""
    return " ".join(text.split()).replace("-->", "→")


def _millis(sample: int, rate: int) -> int:
    return (max(sample, 0) * 1000 + rate // 2) // rate


def _clock(sample: int, rate: int, point: str) -> str:
    millis = _millis(sample, rate)
    seconds, millis = divmod(millis, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{millis:03d}"
