"""What the docs say about the language is what the language is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from benchmarks.gallery import LIMIT, OUT, documents
from timeline.loading import parse

PAGE = Path(__file__).parents[2] / "docs" / "timeline.md"


@pytest.mark.parametrize("path", list(documents()), ids=lambda path: path.name)
def test_generated_pages_are_up_to_date(path):
    assert path.read_text(encoding="utf-8") == documents()[path], "run `python -m benchmarks gallery`"


def test_every_picture_is_there_and_small():
    pages = [PAGE.read_text(encoding="utf-8"), *documents().values()]
    named = {name for page in pages for name in re.findall(r"pictures/timeline/([\w-]+\.webp)", page)}
    assert named == {path.name for path in OUT.glob("*.webp")}
    assert all((OUT / name).stat().st_size <= LIMIT for name in named)


def test_the_first_film_of_the_page_reads():
    text = re.search(r"```yaml\n(schema: .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    assert parse(yaml.load(text[1], Loader=yaml.BaseLoader)).title == "Two pictures"
