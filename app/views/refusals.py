"""Why a command was refused, for those who read other languages; in English the error says it itself."""

from __future__ import annotations

from collections.abc import Mapping

from app.i18n import N_, Tongue
from app.views.marks import job_mark
from domain.production.errors import WrongState

REFUSALS: Mapping[str, str] = {
    "cancel": N_("Job #%(number)s cannot be cancelled in this state: %(state)s."),
    "pause": N_("Job #%(number)s cannot be paused in this state: %(state)s."),
    "resume": N_("Job #%(number)s is not paused."),
    "retry": N_("Job #%(number)s has not failed; there is nothing to resume."),
    "discard": N_("Job #%(number)s has not failed; there is nothing to discard."),
    "level": N_("The level of job #%(number)s no longer matters in this state: %(state)s."),
    "redo": N_("A step of job #%(number)s cannot be made again in this state: %(state)s."),
    "pause-project": N_("The project %(name)s is paused already."),
    "resume-project": N_("The project %(name)s is not paused."),
    "pause-workspace": N_("The workspace is paused already."),
    "resume-workspace": N_("The workspace is not paused."),
    "pause-schedule": N_("The schedule is paused already."),
    "resume-schedule": N_("The schedule is not paused."),
}


def say_refusal(tongue: Tongue, error: WrongState) -> str:
    """The sentence of a refusal that is in the table."""
    values = dict(error.values)
    if "state" in values:
        values["state"] = job_mark(tongue, str(values["state"])).word.lower()
    return tongue.gettext(REFUSALS[error.refusal], **values)
