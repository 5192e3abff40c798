"""One picture dissolves into the other."""

from timeline.transitions.base import TransitionKind

KIND = TransitionKind("crossfade", "One picture dissolves into the other.")
