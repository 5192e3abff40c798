"""What will run next, in words: the steps, the time and the price."""

from __future__ import annotations

from dataclasses import dataclass

from app.i18n import N_, Tongue
from app.views.marks import kind_name
from domain.production.outlook import Outlook
from domain.production.wishes import Hearing


@dataclass(frozen=True)
class Ahead:
    """`steps` in their order, `time` and `price` as estimates, `stops` where a person is asked again."""

    steps: str
    time: str
    price: str
    stops: str


def make_ahead(tongue: Tongue, outlook: Outlook) -> Ahead:
    """Say what an outlook holds."""
    steps = [_counted(tongue, kind, count) for kind, count in outlook.kinds]
    stops = tongue.gettext("You are asked again after: %(step)s.", step=kind_name(tongue, outlook.stops))
    return Ahead(
        steps=", ".join(steps) or tongue.gettext("nothing more"),
        time=tongue.gettext("about %(time)s", time=tongue.rough(outlook.seconds)) if outlook.kinds else "",
        price=say_price(tongue, outlook.micro_dollars),
        stops=stops if outlook.stops else "",
    )


def say_price(tongue: Tongue, micro_dollars: int | None) -> str:
    """A price as a limit: parts that are found made before make it less."""
    if micro_dollars is None:
        return tongue.gettext("price unknown")
    if micro_dollars == 0:
        return tongue.gettext("nothing is paid")
    return tongue.gettext("at most about %(price)s", price=tongue.money(micro_dollars))


def _counted(tongue: Tongue, kind: str, count: int) -> str:
    name = kind_name(tongue, kind)
    return f"{count} × {name}" if count > 1 else name


HEARINGS = {
    "script": N_("The writer gets your words with the topic, as you write them."),
    "script.offline": N_(
        "The writer of this machine understands: shorter, longer, a length such as 45 s, simpler, focus on …, "
        "without …. Other words lead to another draft."
    ),
    "illustrate": N_(
        "Your words go to the maker of pictures together with each scene’s own, and pictures of the library give way "
        "to made ones. Without words, others are chosen from the library where they fit."
    ),
    "illustrate.artboard": N_(
        "The art board of this machine looks for motifs in your words and draws anew; it follows no orders, and "
        "pictures of the library give way to it. Without words, others are chosen from the library where they fit."
    ),
    "narrate": N_(
        "The voice understands: slower, faster (also by 15 percent), higher, lower, longer pauses, shorter pauses."
    ),
    "compose": N_(
        "The timeline understands: without captions, word by word, without music, softer music, louder music, without "
        "title, without logo, without motion, and transitions by name (crossfade, fade, slide, wipe, push, iris, blur)."
    ),
    "exact": N_(
        "This step takes no instruction: its result follows exactly from the steps before it. Made again, it comes out "
        "the same; change one of those steps instead."
    ),
}
SAME = N_("Without an instruction it comes out the same.")
UNDERSTOOD = {
    "slower": N_("slower"),
    "faster": N_("faster"),
    "lower": N_("a lower voice"),
    "higher": N_("a higher voice"),
    "longer-pauses": N_("longer pauses"),
    "shorter-pauses": N_("shorter pauses"),
    "no-captions": N_("without captions"),
    "word-captions": N_("captions word by word"),
    "captions": N_("with captions"),
    "no-music": N_("without music"),
    "music": N_("with music"),
    "louder-music": N_("louder music"),
    "softer-music": N_("softer music"),
    "no-title": N_("without title"),
    "no-logo": N_("without logo"),
    "no-motion": N_("without motion"),
    "motion": N_("with motion"),
}


def say_hearing(tongue: Tongue, hearing: Hearing) -> str:
    """How a step takes an instruction."""
    said = tongue.gettext(HEARINGS[hearing.code])
    return said if hearing.varies or hearing.takes == "none" else f"{said} {tongue.gettext(SAME)}"


def say_understood(tongue: Tongue, codes: tuple[str, ...]) -> str:
    """What has been understood of an instruction."""
    named = [
        tongue.gettext(UNDERSTOOD[code])
        if code in UNDERSTOOD
        else tongue.gettext("transition: %(name)s", name=code.removeprefix("transition-"))
        for code in codes
    ]
    return ", ".join(named)
