"""Timelines of other programs: OpenTimelineIO both ways, CMX3600 edit lists outwards."""
