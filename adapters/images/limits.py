"""What an uploaded picture may be; apart, so that asking for a limit does not load the decoders."""

MAX_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 100_000_000
MEGAPIXELS = MAX_PIXELS // 1_000_000
MAX_SIDE = 20_000
MIN_SIDE = 64
