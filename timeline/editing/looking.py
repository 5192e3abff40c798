"""Operations that change how items look, sound and join."""

from __future__ import annotations

from typing import Any

from timeline.editing.draft import Bench, Spot, refused
from timeline.editing.operations import (
    NONE,
    ReplaceAsset,
    SetCaptions,
    SetEffect,
    SetFades,
    SetGain,
    SetMotion,
    SetPlace,
    SetText,
    SetTransition,
)
from timeline.values import write_number

Plain = dict[str, Any]


def set_transition(bench: Bench, wish: SetTransition) -> None:
    """Put a transition on a cut in place of what is there, or make it a plain cut."""
    spot = bench.find(wish.item)
    items = bench.items(spot.track)
    place = spot.place + 1 if wish.edge == "end" else spot.place - 1
    there = items[place] if 0 <= place < len(items) and "transition" in items[place] else None
    if wish.kind == NONE:
        if there is not None:
            del items[place]
        return
    if there is not None:
        kept = {name: there[name] for name in ("id", "name", "enabled", "tags", "handles", "link", "ease", "metadata")}
        params = there["params"] if there["transition"] == wish.kind else {}
        items[place] = {**kept, "params": params, "transition": wish.kind, "duration": f"{wish.frames}f"}
        return
    new = {"id": bench.new_id(f"cut-{wish.item}"), "transition": wish.kind, "duration": f"{wish.frames}f"}
    items.insert(spot.place + 1 if wish.edge == "end" else spot.place, new)


def set_motion(bench: Bench, wish: SetMotion) -> None:
    """Give a picture a camera path."""
    spot = _seen(bench, wish.item)
    bench.item(spot)["motion"] = None if wish.motion == NONE else wish.motion


def set_effect(bench: Bench, wish: SetEffect) -> None:
    """Add an effect or take it away; one that is there gets the new parameters."""
    spot = _seen(bench, wish.item)
    item = bench.item(spot)
    others = [each for each in item["effects"] if each["effect"] != wish.effect]
    if not wish.on and len(others) == len(item["effects"]):
        raise refused("E_EDIT", f"{wish.item!r} has no effect {wish.effect}.", wish.item)
    item["effects"] = [*others, {"effect": wish.effect, "params": dict(wish.params)}] if wish.on else others


def replace_asset(bench: Bench, wish: ReplaceAsset) -> None:
    """Show another picture in an item's time and place."""
    spot = _seen(bench, wish.item)
    media = bench.media.get(spot.clip.asset or "")
    if media is None or media.kind != "image":
        raise refused("E_ASSET_KIND", f"{wish.item!r} shows no picture that could be replaced.", wish.item)
    alias = wish.alias
    focus = [write_number(part) for part in wish.focus] if wish.focus else None
    bench.data["assets"][alias] = {"uri": f"sha256:{wish.sha256}", "focus": focus}
    bench.media[alias] = wish.media
    item = bench.item(spot)
    item["asset"] = alias
    if wish.fit is not None:
        item["layout"] = {**item["layout"], "fit": wish.fit, "backdrop": "blur", "focus": None}
    _forget_unused(bench)


def _forget_unused(bench: Bench) -> None:
    """Leave out pictures that an earlier replacement has brought and nothing shows any more."""
    shown = {item.get("asset") for track in bench.data["sequence"]["tracks"] for item in track["items"]}
    for alias in [name for name in bench.data["assets"] if name not in shown and _is_brought(name, bench)]:
        del bench.data["assets"][alias]
        bench.media.pop(alias, None)


def _is_brought(alias: str, bench: Bench) -> bool:
    media = bench.media.get(alias)
    return media is not None and alias == f"picture-{media.sha256[:16]}" and not bench.data["sequences"]


def set_text(bench: Bench, wish: SetText) -> None:
    """Say something else in a text."""
    spot = bench.find(wish.item)
    if spot.clip.text is None:
        raise refused("E_EDIT", f"{wish.item!r} is no text.", wish.item)
    bench.item(spot)["text"] = wish.text


def set_place(bench: Bench, wish: SetPlace) -> None:
    """Put what lies over the picture somewhere else. Texts take their place from their style, which gets a variant."""
    spot = _seen(bench, wish.item)
    if spot.track == _base(bench):
        raise refused("E_EDIT", f"{wish.item!r} fills the picture; only what lies over it has a place.", wish.item)
    item = bench.item(spot)
    size = item["layout"]["size"] if wish.width is None else [f"{wish.width}vw", None]
    item["layout"] = {**item["layout"], "anchor": wish.anchor, "position": None, "size": size}


def _base(bench: Bench) -> int:
    """The number of the lowest picture track."""
    tracks = bench.draft.document.sequence.tracks
    return next((number for number, track in enumerate(tracks) if track.role == "picture"), -1)


def set_gain(bench: Bench, wish: SetGain) -> None:
    """Make a sound louder or softer."""
    spot = bench.find(wish.item)
    if spot.kind != "audio":
        raise refused("E_EDIT", f"{wish.item!r} is no sound.", wish.item)
    item = bench.item(spot)
    item["audio"] = {**item["audio"], "gain_db": write_number(wish.gain_db)}


def set_fades(bench: Bench, wish: SetFades) -> None:
    """Let an item fade in and out."""
    spot = bench.find(wish.item)
    lasts = bench.frame(spot.span[1]) - bench.frame(spot.span[0])
    if wish.fade_in + wish.fade_out > lasts:
        message = f"The fades take {wish.fade_in + wish.fade_out} frames, {wish.item!r} lasts {lasts}."
        raise refused("E_FADE_TOO_LONG", message, wish.item)
    fades = {"in": wish.fade_in, "out": wish.fade_out}
    written = {name: f"{frames}f" if frames else None for name, frames in fades.items()}
    bench.item(spot)["fades"] = {**bench.item(spot)["fades"], **written}


def set_captions(bench: Bench, wish: SetCaptions) -> None:
    """Show the captions in another way, in every output of the film."""
    tracks = [track for track in bench.data["sequence"]["tracks"] if track["role"] == "caption"]
    if not tracks:
        raise refused("E_EDIT", "The film has no captions.")
    for track in tracks:
        track["effect"], track["enabled"] = wish.effect, wish.on
    if wish.accent is None:
        return
    for use in bench.data["profiles"]:
        if use["captions"] != NONE:
            use["captions"] = {**(use["captions"] or {}), "accent": wish.accent}


def _seen(bench: Bench, item_id: str) -> Spot:
    spot = bench.find(item_id)
    if spot.kind != "video":
        raise refused("E_EDIT", f"{item_id!r} is a sound; only what is seen can look otherwise.", item_id)
    return spot
