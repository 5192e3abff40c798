"""What a picture provider is told: the scene's prompt cleaned, and a milder form of it for a second try. Pure.

Nothing private leaves (addresses, phone numbers, links), nothing invisible, no markup; lettering is asked away, because
captions and titles are set by the compositor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from domain.production.ports import PictureRequest

PLAIN_PICTURE = "No text, letters, numbers, captions, logos or watermarks in the picture."
GENTLE = "A calm, friendly, suggestive illustration without people; nothing frightening."
LIMIT = 4_000

_LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d ()./-]{7,}\d(?![\w.])")
_TAG = re.compile(r"<[^<>]{0,400}>")
_MARKUP = re.compile(r"[{}\[\]<>|\\`*_#~^]+")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_HARSH = re.compile(
    r"\b(?:blood\w*|bleed\w*|gor[ey]\w*|kill\w*|murder\w*|massacre\w*|corpse\w*|cadaver\w*|dead bod\w+|wound\w*"
    r"|behead\w*|weapon\w*|guns?|rifles?|knife|knives|bomb\w*|explosive\w*|terroris\w+|tortur\w+|suicid\w+|nud[ei]\w*|naked"
    r"|sex\w*|porn\w*|drugs?|cocaine|heroin|nazi\w*|sangu\w+|sangr\w+|mata[rm]\w*|assassin\w*|cadáver\w*"
    r"|feri(?:da|do)s?|armas?|fuzi[sl]|facas?|explosiv\w+|suicíd\w+|nus?|nuas?|nudez|droga\w*|cocaína|heroína)\b",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """One line of visible characters without links, addresses, phone numbers and markup."""
    # What is taken out can leave a phone number or an address standing in pieces that now belong together.
    while (cleaner := _clean_once(text)) != text:
        text = cleaner
    return text


def _clean_once(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    for pattern in (_TAG, _LINK, _MAIL, _PHONE, _MARKUP):
        text = pattern.sub(" ", text)
    return re.sub(r"\s+([.,;:!?…])", r"\1", " ".join(text.split()))


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, ending at a sentence where one ends in the second half, else at a word."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    ends = [match.start() for match in _SENTENCE.finditer(head) if match.start() > limit // 2]
    return head[: ends[-1]] if ends else head.rsplit(" ", 1)[0].rstrip(" ,;:")


def picture_prompt(request: PictureRequest, limit: int = LIMIT) -> str:
    """The scene's prompt, else its headline and keywords, ready to send."""
    subject = clean(request.prompt) or _subject_of(request)
    return _finished(cut(subject, limit - len(PLAIN_PICTURE) - 40), request)


def milder_prompt(request: PictureRequest, limit: int = LIMIT) -> str:
    """The same scene without its harsh sentences and words; for one second try after a safety stop."""
    kept = [part for part in _SENTENCE.split(clean(request.prompt)) if part and not _HARSH.search(part)]
    subject = " ".join([GENTLE, *(kept or [_subject_of(request, mild=True)])])
    return _finished(cut(subject, limit - len(PLAIN_PICTURE) - 40), request)


def is_harsh(text: str) -> bool:
    """Whether a text holds a word that safety rules of providers usually object to."""
    return _HARSH.search(text) is not None


def _subject_of(request: PictureRequest, mild: bool = False) -> str:
    words = _unique([request.headline, *request.keywords])
    told = [clean(word) for word in words if clean(word) and not (mild and is_harsh(word))]
    return "An illustration of: " + ", ".join(told) + "." if told else "An abstract background of soft light."


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _finished(subject: str, request: PictureRequest) -> str:
    shape = "Tall" if request.height > request.width else "Wide" if request.width > request.height else "Square"
    ended = subject if subject.endswith((".", "!", "?", "…")) else f"{subject}."
    return f"{ended} {shape} composition. {PLAIN_PICTURE}"
