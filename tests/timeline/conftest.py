"""Properties of the timeline run without a clock: how long an example takes says nothing about its truth."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
