"""The resolved form beside the intent."""

from tests.timeline.making import pictures, settle
from timeline.describe import describe_resolved


def test_every_item_says_what_was_meant_and_what_it_became():
    found = settle(
        pictures(
            {"id": "a", "color": "#111", "length": {"until": {"ref": "talk#s2"}}},
            {"id": "x", "transition": "crossfade", "duration": "0.5"},
            {"id": "b", "color": "#222", "length": "fill"},
        ),
        {"role": "caption", "from": "talk-track"},
        {"id": "talk-track", "role": "narration", "items": [{"id": "talk", "asset": "voice"}]},
    )
    assert describe_resolved(found) == [
        "picture track-1 (3 items)",
        "  a  follow → 0 s (frame 0); until start of talk#s2 → 1.475 s (44 frames)",
        "  x  on the cut at frame 44 → 1.233 s (frame 37); 1/2 → 0.5 s (15 frames)",
        "  b  follow → 1.475 s (frame 44); fill → 2.392 s (72 frames)",
        "caption track-2 (9 words)",
        "narration talk-track (1 item)",
        "  talk  follow → 0 s (sample 0); media → 3.867 s (185600 samples)",
    ]


def test_long_tracks_are_counted():
    found = settle(pictures(*({"color": "#111", "length": "1"} for _ in range(205))))
    assert describe_resolved(found)[-1] == "  … and 5 more"
