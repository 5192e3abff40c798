"""Failures in the reader's language: our sentences in Portuguese, a provider's words as it wrote them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.assets import Assets
from app.i18n import Tongue
from app.templating import FOLDER, Templates
from app.views.told import Piece, tell
from domain.usage.budget import OverBudget
from domain.usage.effects import CallSkipped, InDoubt
from tests.support.failure_table import END, PAGE, START

ROOT = Path(__file__).parents[2]
ENGLISH, PORTUGUESE = Tongue("en"), Tongue("pt-BR", "America/Sao_Paulo")
QUOTE = re.compile(r"“([^”]*)”")
TELLING = (
    *("adapters/outcomes.py", "adapters/turns.py", "adapters/vendors/desk.py", "adapters/vendors/casting.py"),
    *("adapters/text/anthropic.py", "adapters/text/anthropic_errors.py", "adapters/images/asking.py"),
    *("adapters/images/openai.py", "adapters/images/gemini.py", "adapters/speech/azure.py"),
    *(f"adapters/speech/azure_{name}.py" for name in ("batch", "line", "live", "ssml", "voices", "zip")),
    *("domain/production/calls.py", "domain/usage/budget.py", "domain/usage/effects.py"),
    *("adapters/text/offline.py", "adapters/speech/espeak.py", "adapters/images/artboard.py"),
    "adapters/images/lettering.py",
    "domain/production/failures.py",
)
"""Modules that write sentences about providers and their stand-ins, and about steps."""
ENDED = re.compile(r"[a-z] .*[.”](?: ?1)?$", re.DOTALL)
"""How a sentence ends; what follows may be the provider's words."""


def failures() -> list[tuple[str, str, str]]:
    """Name, sentence and advice of every failure in the table of docs/providers.md, which is checked elsewhere."""
    lines = PAGE.read_text(encoding="utf-8").split(START)[1].split(END)[0].strip().splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    told = [re.fullmatch(r"(.+) \*(.+)\*", row[5]) for row in cells]
    return [(f"{row[0]}-{row[1]}", found[1], found[2]) for row, found in zip(cells, told, strict=True) if found]


def written(pieces: object) -> str:
    return "".join(piece.text for piece in pieces)  # type: ignore[attr-defined]


class TestTable:
    def test_holds_them_all(self) -> None:
        assert len(failures()) > 90

    @pytest.mark.parametrize(("name", "sentence", "advice"), failures(), ids=[row[0] for row in failures()])
    def test_of_english_only_the_provider_s_words_are_left(self, name: str, sentence: str, advice: str) -> None:
        ours, _, theirs = sentence.partition(" It says: ")
        words = theirs.strip("“”")
        for text in (sentence, advice):
            assert written(tell(ENGLISH, text)) == text
            pieces = tell(PORTUGUESE, text)
            assert [piece.text for piece in pieces if piece.foreign] in ([], [words])
            native = "".join(piece.text for piece in pieces if not piece.foreign)
            assert not re.search(r"\b(the|it|is|not|to|and|this|was)\b", QUOTE.sub("", native), re.IGNORECASE), native
        assert written(tell(PORTUGUESE, advice)) != advice
        assert not written(tell(PORTUGUESE, sentence)).startswith(ours)

    def test_our_words_inside_a_quote_are_translated_too(self) -> None:
        told = tell(
            PORTUGUESE, "OpenAI answered something that cannot be used. It says: “The answer holds no picture.”"
        )
        assert told == (
            Piece("OpenAI respondeu com algo que não pode ser usado. Ele diz: “A resposta não contém nenhuma imagem.”"),
        )


def texts(path: str) -> Iterator[str]:
    """Every sentence that a module writes, with `1` in place of what varies; docstrings and logs are none."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in quiet or id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)


@pytest.mark.parametrize("path", TELLING)
def test_every_sentence_about_providers_can_be_told(path: str) -> None:
    sentences = [text for text in texts(path) if re.match(r"[A-Z“1]", text) and ENDED.search(text)]
    assert [text for text in sentences if not can_be_told(text)] == []


def can_be_told(text: str) -> bool:
    """Whether a sentence is known as it stands, or without what its middle or end may leave out."""
    bare = re.sub(r"(?<=[.”])\s?1$", "", text)
    short = re.sub(r"(?<=[a-z])1", "", bare)
    parted = short.replace("1 1 spent", "The job has 1 spent").replace(
        "1, then 1", OverBudget("job", 1, 1, 1, 1).fix[:-1]
    )
    forms = (bare, short, parted, bare.removeprefix("1 "))
    return any(not any(piece.foreign for piece in tell(PORTUGUESE, form)) for form in forms)


class TestValues:
    def test_amounts_and_names_are_those_of_the_language(self) -> None:
        full = OverBudget("workspace", 5_000_000, 4_900_000, 0, 250_000)
        assert tell(PORTUGUESE, full.sentence) == (
            Piece(
                "O espaço de trabalho já gastou neste mês US$\xa04,90 do limite de US$\xa05,00; "
                "a próxima parte pode custar US$\xa00,25."
            ),
        )
        assert tell(PORTUGUESE, CallSkipped("openai", "artboard").sentence) == (
            Piece("A chamada para OpenAI fica de fora por decisão de uma pessoa; o quadro ilustrado entra no lugar."),
        )
        assert tell(PORTUGUESE, InDoubt("azure", "").sentence) == (
            Piece(
                "Uma chamada para Azure Speech foi enviada e a resposta se perdeu. "
                "Pode ter sido cobrado, por isso não se repete automaticamente."
            ),
        )

    def test_what_nobody_has_translated_stays_and_is_marked(self) -> None:
        told = tell(PORTUGUESE, "The moon is full. Remove it.")
        assert told == (Piece("The moon is full.", foreign=True), Piece(" Remova-o."))
        assert tell(ENGLISH, "The moon is full.") == (Piece("The moon is full."),)
        assert tell(PORTUGUESE, "") == ()

    def test_a_provider_cannot_write_our_markup(self, tmp_path: Path) -> None:
        (tmp_path / "ui").symlink_to(FOLDER / "ui")
        (tmp_path / "said.html").write_text('{% import "ui/atoms.html" as ui with context %}{{ ui.told(text) }}')
        text = "Gemini calls the request wrong. It says: “<b>no</b> It says: “twice””"
        told = Templates(Assets(), tmp_path).page("said.html", PORTUGUESE, {"text": text})
        assert told == (
            'Gemini diz que o pedido está errado. Ele diz: “<span lang="en">&lt;b&gt;no&lt;/b&gt; It says: “twice”'
            "</span>”"
        )
