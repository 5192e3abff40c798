"""Which line of Azure's price file a voice belongs to."""

from __future__ import annotations


def price_kind(name: str, voice_type: str = "") -> str:
    """The line for a voice by its name, and by its type where the service's list tells one."""
    if ":" in name or "HD" in voice_type or "Turbo" in name:
        return "neural-hd"
    return "neural" if not voice_type or voice_type == "Neural" else "custom-neural"
