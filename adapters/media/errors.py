"""What can go wrong while media are read, drawn, mixed or checked.

MediaError
├── MissingAsset        a plan names a file that is not there
├── NotAPicture         the bytes are no picture we read
├── PictureTooLarge     more pixels than we decode
├── PictureBroken       a picture that cannot be decoded to its end
├── NotASound           the bytes hold no sound we read
├── NotAVideo           the bytes hold no moving picture we read
├── PlanUnrenderable    a plan that contradicts itself or the files it names
├── FontMissing         a style names a face that is not shipped
├── DiskFull            no room for the output
├── ToolFailed          ffmpeg or our own child ended badly (trying again can help)
└── ToolTimedOut        it took longer than its cap (trying again can help)
"""

from __future__ import annotations

from domain.production.ports import ProviderError


class MediaError(ProviderError):
    """The renderer could not do what the plan says; `sentence` is for people, `fix` says what to do."""

    def __init__(self, sentence: str, *, fix: str = "") -> None:
        super().__init__("renderer", sentence, fix=fix)


class MissingAsset(MediaError):
    """A plan names an asset whose file is not on this machine."""


class NotAPicture(MediaError):
    """A file given as a picture is something else (text, a playlist, a video, an unknown format)."""


class PictureTooLarge(MediaError):
    """A picture has more pixels than are ever decoded; found before decoding."""


class PictureBroken(MediaError):
    """A picture's header reads well but its body does not decode."""


class NotASound(MediaError):
    """A file given as sound holds no audio stream that can be decoded."""


class NotAVideo(MediaError):
    """A file given as a film holds no video stream that can be decoded."""


class PlanUnrenderable(MediaError):
    """A plan asks for something that does not exist or contradicts itself."""


class FontMissing(MediaError):
    """A text style names a face that is not among the shipped ones."""


class DiskFull(MediaError):
    """The output did not fit on the disk; nothing half-written remains."""

    transient = True


class ToolFailed(MediaError):
    """A child process ended with an error or was killed from outside."""

    transient = True


class ToolTimedOut(MediaError):
    """A child process ran longer than its cap and was ended."""

    transient = True


ERRORS: dict[str, type[MediaError]] = {
    error.__name__: error
    for error in (
        MissingAsset,
        NotAPicture,
        PictureTooLarge,
        PictureBroken,
        NotASound,
        NotAVideo,
        PlanUnrenderable,
        FontMissing,
        DiskFull,
        ToolFailed,
        ToolTimedOut,
    )
}
"""Errors by name, to carry them over a process boundary."""
