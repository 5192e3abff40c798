"""Words of the timeline editor: kinds of transitions, camera paths, effects, corners, and the names of items."""

from __future__ import annotations

from collections.abc import Mapping

from app.i18n import N_, Tongue
from app.views.marks import said
from domain.studio.script import Script

TRANSITION_NAMES: Mapping[str, str] = {
    "none": N_("Plain cut"),
    "crossfade": N_("Crossfade"),
    "fade": N_("Fade through a colour"),
    "wipe": N_("Wipe"),
    "slide": N_("Slide"),
    "push": N_("Push"),
    "zoom": N_("Zoom"),
    "blur": N_("Blur"),
    "iris": N_("Iris"),
    "dip": N_("Dip to light"),
}
MOTION_NAMES: Mapping[str, str] = {
    "none": N_("Stands still"),
    "zoom-in": N_("Zoom in"),
    "zoom-out": N_("Zoom out"),
    "pan-left": N_("Pan left"),
    "pan-right": N_("Pan right"),
    "pan-up": N_("Pan up"),
    "pan-down": N_("Pan down"),
    "drift": N_("Drift"),
}
EFFECT_NAMES: Mapping[str, str] = {
    "blur": N_("Blur"),
    "brightness": N_("Brightness"),
    "contrast": N_("Contrast"),
    "saturation": N_("Saturation"),
    "vignette": N_("Vignette"),
    "grain": N_("Grain"),
    "sepia": N_("Sepia"),
    "sharpen": N_("Sharpen"),
}
"""Effects that need nothing but numbers; others are written in the document."""
PARAMETER_NAMES: Mapping[str, str] = {
    "amount": N_("Amount"),
    "radius": N_("Radius"),
    "size": N_("Size"),
    "seed": N_("Seed"),
}
CAPTION_NAMES: Mapping[str, str] = {
    "highlight": N_("Spoken word in colour"),
    "karaoke": N_("Words fill as they are spoken"),
    "word-pop": N_("Spoken word grows"),
    "one-word": N_("One word at a time"),
    "none": N_("Plain"),
}
CORNER_NAMES: Mapping[str, str] = {
    "top-left": N_("Top left"),
    "top": N_("Top"),
    "top-right": N_("Top right"),
    "left": N_("Left"),
    "center": N_("Middle"),
    "right": N_("Right"),
    "bottom-left": N_("Bottom left"),
    "bottom": N_("Bottom"),
    "bottom-right": N_("Bottom right"),
}
TRACK_NAMES: Mapping[str, str] = {
    "picture": N_("Video"),
    "overlay": N_("Overlay"),
    "effects": N_("Effects"),
    "caption": N_("Captions"),
    "narration": N_("Voice"),
    "music": N_("Music"),
    "sfx": N_("Sounds"),
    "source": N_("Sound of clips"),
}
ROLL_NAMES: Mapping[str, str] = {
    "roll": N_("The neighbour gives or takes"),
    "ripple": N_("What follows moves along"),
    "gap": N_("Nothing else moves"),
}
DELETE_NAMES: Mapping[str, str] = {
    "gap": N_("Leave a gap"),
    "ripple": N_("What follows moves up"),
    "neighbour": N_("The neighbour takes its time"),
}
ITEM_NAMES: Mapping[str, str] = {
    "title": N_("Title"),
    "logo": N_("Logo"),
    "voice": N_("Voice"),
    "bed": N_("Music"),
    "captions": N_("Captions"),
}


def names_of(script: Script | None) -> dict[str, str]:
    """What the items of a composed film show, by id: the titles of the script's scenes."""
    scenes = script.scenes if script else []
    return {f"picture-{scene.id}": scene.title or scene.id for scene in scenes}


def item_name(tongue: Tongue, names: Mapping[str, str], item_id: str) -> str:
    """The name of an item; a part of one that was split carries its number."""
    whole, _, part = item_id.partition("~")
    name = names.get(whole) or said(tongue, ITEM_NAMES, whole)
    return f"{name} ({part})" if part else name
