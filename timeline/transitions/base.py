"""What a transition is: its name, what it does, and the parameters it takes."""

from __future__ import annotations

from timeline.params import Kind, Param, colour, fraction, one_of

__all__ = ["Param", "TransitionKind", "colour", "fraction", "one_of"]

TransitionKind = Kind
