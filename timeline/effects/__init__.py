"""Changes to how a picture looks. Adding one = a file here, a line below, a golden test."""

from __future__ import annotations

from timeline.effects import blur, brightness, chroma_key, contrast, grain, lut, saturation, sepia, sharpen, vignette
from timeline.params import Kind

EFFECTS: dict[str, Kind] = {
    "blur": blur.KIND,
    "brightness": brightness.KIND,
    "contrast": contrast.KIND,
    "saturation": saturation.KIND,
    "lut": lut.KIND,
    "vignette": vignette.KIND,
    "grain": grain.KIND,
    "sepia": sepia.KIND,
    "sharpen": sharpen.KIND,
    "chroma-key": chroma_key.KIND,
}
