"""Static files: read once, named by their content, compressed once, cacheable for ever."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "static"

MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".txt": "text/plain",
}
"""Only files with these endings are served."""

SQUEEZED = {".css", ".js", ".svg", ".txt"}
CSS_ADDRESS = re.compile(r'url\("(?P<path>[^"#]+)"\)')


@dataclass(frozen=True)
class Asset:
    """One file as it leaves the house; `squeezed` is its gzip form or None."""

    name: str
    body: bytes
    squeezed: bytes | None
    media_type: str


class Assets:
    """All static files. `url("design.css")` answers the address that carries the file's hash."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._urls: dict[str, str] = {}
        self._served: dict[str, Asset] = {}
        paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in MEDIA_TYPES)
        # Style sheets come last because they name other files, whose hashes they must carry.
        for path in sorted(paths, key=lambda p: p.suffix == ".css"):
            self._add(path)

    def url(self, name: str) -> str:
        """Answer the address of a file; raises KeyError for a file that does not exist."""
        return self._urls[name]

    def find(self, served: str) -> Asset | None:
        """Answer the file served under this name (with its hash), or None."""
        return self._served.get(served)

    def _add(self, path: Path) -> None:
        name = path.relative_to(self._folder).as_posix()
        body = path.read_bytes()
        if path.suffix == ".css":
            body = self._with_hashes(path, body.decode()).encode()
        digest = hashlib.sha256(body).hexdigest()[:12]
        served = f"{name.removesuffix(path.suffix)}.{digest}{path.suffix}"
        squeezed = gzip.compress(body, 9, mtime=0) if path.suffix in SQUEEZED else None
        self._urls[name] = f"/static/{served}"
        self._served[served] = Asset(name, body, squeezed, MEDIA_TYPES[path.suffix])

    def _with_hashes(self, path: Path, text: str) -> str:
        def replace(found: re.Match[str]) -> str:
            target = (path.parent / found["path"]).resolve().relative_to(self._folder.resolve()).as_posix()
            return f'url("{self._urls[target]}")'

        return CSS_ADDRESS.sub(replace, text)
