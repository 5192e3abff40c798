"""Changes people make to a script, applied without touching anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.studio.script import Scene, Script, Sentence


class UnknownScene(ValueError):
    """Raised when an edit names a scene that the script does not have."""


def replace_sentences(script: Script, edits: Mapping[str, Sequence[str]]) -> Script:
    """Answer a copy in which the scenes named by `edits` say the given sentences.

    A sentence whose text stays keeps its spoken form; ids stay `scene.number`, so untouched scenes keep theirs.
    """
    known = {scene.id for scene in script.scenes}
    if unknown := sorted(set(edits) - known):
        raise UnknownScene(f"The script has no scene {', '.join(unknown)}; it has {', '.join(sorted(known))}.")
    scenes = [_with_sentences(scene, edits[scene.id]) if scene.id in edits else scene for scene in script.scenes]
    return script.model_copy(update={"scenes": scenes})


def _with_sentences(scene: Scene, texts: Sequence[str]) -> Scene:
    spoken = {sentence.text: sentence.say for sentence in scene.sentences}
    sentences = [
        Sentence(id=f"{scene.id}.{number}", text=text, say=spoken.get(text))
        for number, text in enumerate(texts, start=1)
    ]
    return scene.model_copy(update={"sentences": sentences})


def write_markdown(script: Script) -> str:
    """Answer the script as people read it."""
    lines = [f"# {script.title}", ""]
    for scene in script.scenes:
        lines += [f"## {scene.title or scene.id}", "", " ".join(sentence.text for sentence in scene.sentences), ""]
    return "\n".join(lines)
