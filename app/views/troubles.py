"""What is wrong with an item of the catalogue, in the person's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.bodies.entries import Trouble
from app.forms import FormFault
from app.i18n import N_, Tongue
from app.views.marks import kind_name

SENTENCES: Mapping[str, str] = {
    "field": N_("The form has no field “%(name)s”."),
    "name": N_("Give a name of 1 to %(high)s visible characters."),
    "note": N_("Say in one line of at most %(high)s characters what has changed."),
    "slug": N_("Use lower-case letters, digits and single dashes, at most %(high)s; not “new” or “import”."),
    "taken": N_("This short name is taken. Choose another."),
    "project": N_("Choose a project of the list."),
    "empty": N_("This must not be empty."),
    "hidden": N_("Line %(line)s holds an invisible sign (%(sign)s). Remove it."),
    "long": N_("This has %(count)s characters; at most %(high)s are allowed. Shorten it."),
    "number": N_("Write a number, such as 12 or 0.5."),
    "bounds": N_("Give a number from %(low)s to %(high)s."),
    "whole": N_("Give a whole number."),
    "choice": N_("“%(name)s” cannot be chosen. Choose from the list."),
    "none": N_("Choose at least one."),
    "listed": N_("There is no “%(name)s” to choose. There are: %(names)s."),
    "parts": N_("There are %(count)s entries; at most %(most)s are allowed. Leave some out."),
    "part": N_("“%(name)s…” is longer than %(high)s characters. Shorten it."),
    "pair": N_("Line %(line)s is not of the form “written = spoken”."),
    "twice": N_("Line %(line)s: “%(name)s” is there already. Keep one of the two."),
    "json": N_("This is not JSON: line %(line)s, column %(column)s."),
    "deep": N_("This is nested too deeply, or holds a number that is none."),
    "object": N_("This must be a JSON object, in braces."),
    "order": N_("The least is greater than the most. Exchange them."),
    "checked": N_("This cannot be used: %(said)s."),
    "told": N_("This cannot be used: %(said)s."),
    "sort": N_("Items of the form “%(name)s” are not kept here. Voices have a page of their own."),
    "no-facts": N_("No fact can be read from this text. Write whole sentences or list items."),
    "voice-language": N_("This voice speaks another language (%(language)s) than the film. Choose another voice."),
    "liquid-variable": N_("Line %(line)s: there is no variable “%(name)s”. See the list beside the text."),
    "liquid-variable-near": N_("Line %(line)s: there is no variable “%(name)s”. Did you mean “%(near)s”?"),
    "liquid-filter": N_("Line %(line)s: there is no filter “%(name)s”. Leave it out."),
    "liquid-filter-near": N_("Line %(line)s: there is no filter “%(name)s”. Did you mean “%(near)s”?"),
    "liquid-tag": N_("Line %(line)s: the tag “%(name)s” does not exist or is not allowed. Leave it out."),
    "liquid-tag-near": N_("Line %(line)s: there is no tag “%(name)s”. Did you mean “%(near)s”?"),
    "liquid-syntax": N_("Line %(line)s cannot be read: %(said)s."),
    "liquid-syntax-end": N_("The template cannot be read to its end: %(said)s."),
    "liquid-limit": N_("The template does too much at once. Use fewer repeats, shorter lists and less replacing."),
    "steps": N_("A recipe needs at least one step. Tick those it has."),
    "step-unknown": N_("Step “%(step)s” needs “%(name)s”, which does not exist. There are: %(names)s."),
    "step-unknown-near": N_("Step “%(step)s” needs “%(name)s”, which does not exist. Did you mean “%(near)s”?"),
    "step-absent": N_("Step “%(step)s” needs “%(need)s”, which is not ticked. Tick it, or leave the need out."),
    "step-circle": N_("The steps wait for each other in a circle: %(way)s. Leave one of these needs out."),
    "step-reads": N_("Step “%(step)s” reads the result of “%(read)s”. Add that to what it needs."),
    "step-twice": N_("Step “%(step)s” is listed twice. Keep one."),
    "step-optional": N_("Step “%(step)s” cannot be skipped: later steps need its result."),
    "step-pool": N_("“%(name)s” cannot be the name of a class of workers. Write cpu, gpu.nvenc or cpu@eu."),
    "step-wait": N_("Give %(low)s to %(high)s seconds to wait for a class of workers."),
    "file": N_("Choose a file."),
    "file-large": N_("The file is larger than %(high)s kB."),
    "file-form": N_("The file is not of the form that an export has: kind, name and body."),
    "file-kind": N_("The file holds a %(name)s. Bring it in on the page of its kind."),
    "stale": N_("Somebody has saved another version meanwhile."),
}


def tell_troubles(tongue: Tongue, troubles: Sequence[Trouble]) -> list[FormFault]:
    """One sentence for each, with its place and what would put it right."""
    return [FormFault(one.field, _sentence(tongue, one)) for one in troubles]


def _sentence(tongue: Tongue, trouble: Trouble) -> str:
    words = {name: _word(tongue, value) for name, value in trouble.words.items()}
    if "step" in words:
        words |= {
            name: kind_name(tongue, str(trouble.words[name])) for name in ("step", "need", "read") if name in words
        }
    code = trouble.code
    if words.get("near"):
        code = f"{code}-near"
    elif code == "liquid-syntax" and not trouble.words.get("line"):
        code = f"{code}-end"
    return tongue.gettext(SENTENCES[code], **words)


def _word(tongue: Tongue, value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return tongue.number(value, 2)
    return str(value).rstrip(".") if isinstance(value, str) else value
