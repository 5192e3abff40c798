"""Why a command was refused, for those who read other languages; in English the error says it itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.i18n import N_, Tongue
from app.views.marks import job_mark, kind_name, step_mark
from app.views.money import provider_name
from domain.production.errors import WrongState

REFUSALS: Mapping[str, str] = {
    "cancel": N_("Job #%(number)s cannot be cancelled in this state: %(state)s."),
    "pause": N_("Job #%(number)s cannot be paused in this state: %(state)s."),
    "resume": N_("Job #%(number)s is not paused."),
    "retry": N_("Job #%(number)s has not failed; there is nothing to retry."),
    "discard": N_("Job #%(number)s has not failed; there is nothing to discard."),
    "level": N_("The level of job #%(number)s no longer matters in this state: %(state)s."),
    "key-taken": N_("This form has started job #%(number)s already. Open it again to start another one."),
    "redo": N_("A step of job #%(number)s cannot be made again in this state: %(state)s."),
    "redo-step": N_("The step %(step)s cannot be made again in this state: %(step_state)s. Wait until it has ended."),
    "redo-busy": N_("These steps work with the present result: %(steps)s. Wait until they have ended."),
    "skip-sound": N_("The step %(step)s has not failed; there is nothing to skip."),
    "skip-needed": N_("The step %(step)s cannot be skipped: what follows needs its result."),
    "fork-part": N_("A part of the step %(step)s cannot be the beginning. Fork from the step as a whole."),
    "edit-other": N_("Only a script can be edited here."),
    "gate-open": N_("The step %(step)s is not waiting for a decision."),
    "decided": N_("This has been decided already."),
    "decided-by": N_("%(name)s has decided this already."),
    "decided-late": N_("The time to decide this has passed; the job has been cancelled."),
    "decided-newer": N_("There is a newer version than the one you saw. Look at it, then decide again."),
    "timeline-outdated": N_("Somebody else has changed the timeline meanwhile. Look at it, then do your change again."),
    "timeline-nothing": N_("There is nothing to undo or redo."),
    "timeline-full": N_("The timeline has %(most)s changes. Make the film with them, then go on there."),
    "timeline-plain": N_("The timeline is as it was composed; there is nothing to make."),
    "timeline-unknown": N_(
        "A newer version of the program has made a change that this one does not know. Make the film there, or take "
        "the change back."
    ),
    "call-decided": N_("This call has been decided already."),
    "call-decided-by": N_("%(name)s has decided already what becomes of this call."),
    "call-cancelled": N_("Job #%(number)s is cancelled; there is nothing to decide any more."),
    "call-alone": N_("Nothing can take the place of %(provider)s here. Repeat the call, or cancel the job."),
    "over-job": N_(
        "Of its limit of %(limit)s the job has spent %(spent)s and set aside %(reserved)s; what comes next may cost "
        "%(wanted)s. Raise the job’s limit, then try again."
    ),
    "over-project": N_(
        "Of this month’s limit of %(limit)s the project has spent %(spent)s and set aside %(reserved)s; what comes "
        "next may cost %(wanted)s. Raise the limit or wait for the next month, then try again."
    ),
    "over-workspace": N_(
        "Of this month’s limit of %(limit)s the workspace has spent %(spent)s and set aside %(reserved)s; what comes "
        "next may cost %(wanted)s. Raise the limit or wait for the next month, then try again."
    ),
    "pause-project": N_("The project %(name)s is paused already."),
    "resume-project": N_("The project %(name)s is not paused."),
    "pause-workspace": N_("The workspace is paused already."),
    "resume-workspace": N_("The workspace is not paused."),
    "pause-schedule": N_("The schedule is paused already."),
    "resume-schedule": N_("The schedule is not paused."),
}


def say_refusal(tongue: Tongue, error: WrongState) -> str:
    """The sentence of a refusal that is in the table."""
    values = {name: SPOKEN[name](tongue, value) if name in SPOKEN else value for name, value in error.values.items()}
    return tongue.gettext(REFUSALS[error.refusal], **values)


SPOKEN: Mapping[str, Callable[[Tongue, Any], str]] = {
    "state": lambda tongue, state: job_mark(tongue, state).word.lower(),
    "step": kind_name,
    "steps": lambda tongue, kinds: ", ".join(kind_name(tongue, kind) for kind in kinds),
    "provider": provider_name,
    "step_state": lambda tongue, state: step_mark(tongue, state).word,
    "spent": Tongue.money,
    "reserved": Tongue.money,
    "limit": Tongue.money,
    "wanted": Tongue.money,
}
"""Value of a refusal → how it is said; all others are names and numbers."""
