"""What is written down about failures in English, sentence by sentence, so that it can be told in other languages.

Adapters and steps write whole English sentences, which logs, manifests and the command line show as they are. Each of
them stands here with names for what varies; `app.views.told` finds them in a text again.
"""

from __future__ import annotations

from app.i18n import N_

QUOTED = N_("It says: “%(words)s”")
"""How the provider's own words follow ours; they stay in its language."""

UNEXPLAINED = N_("The step ended without an explanation.")

FAILURES = (
    N_("%(who)s does not accept the key for this."),
    N_("The credit or quota at %(who)s is used up."),
    N_("%(who)s asks us to wait: too many requests."),
    N_("%(who)s asks us to wait for %(seconds)s s: too many requests."),
    N_("%(who)s cannot work at the moment."),
    N_("The safety rules of %(who)s stopped the request."),
    N_("%(who)s calls the request wrong."),
    N_("%(who)s does not offer %(what)s to this key."),
    N_("%(who)s answered something that cannot be used."),
    N_("A request to %(who)s went out and the line was lost before its answer was complete."),
    N_("It may have been paid, so it is not repeated by itself."),
    N_("%(who)s could not be reached; nothing was sent."),
    N_("A call to %(who)s was sent and its answer was lost."),
    N_("A call to %(who)s was sent at %(when)s and its answer was lost."),
    N_("The call to %(who)s is left out by a person's decision; %(then)s takes its place."),
    N_("The answer of %(who)s was lost on the way."),
    N_("%(who)s failed repeatedly and is left alone for %(seconds)s s more."),
    N_("As many calls to %(who)s as it may have are under way."),
    N_("The rate set for %(who)s is used up for %(seconds)s s."),
    N_("The provider “%(name)s” is switched off."),
    N_("The provider “%(name)s” of this job was removed from the workspace."),
    N_("The key of the provider “%(name)s” is missing or cannot be opened."),
    N_("The key for %(who)s is empty or holds characters no key has."),
    N_("Providers of the kind “%(kind)s” cannot be used here."),
    N_("Something unforeseen went wrong (reference %(trace)s)."),
    N_("Everything finished before is kept."),
    N_("The worker was lost while the call was out."),
    UNEXPLAINED,
)
"""What may happen with any provider."""

WRITER = (
    N_("Claude declined to write this script."),
    N_("Claude declined to write this script (%(why)s)."),
    N_("The script was cut off at the limit of %(count)s tokens and cannot be used."),
    N_("Prompt and facts are longer than the model can read."),
    N_("The answer ended with “%(reason)s”."),
    N_("The answer is not of the form the service promises."),
    N_("The text is not the JSON object that was asked for."),
    N_("The stream held no message."),
)
NARRATOR = (
    N_("%(who)s answered a result that cannot be used."),
    N_("%(who)s no longer gives out the result of a finished order (status %(status)s)."),
    N_("%(who)s has not finished an order after %(minutes)s minutes; it goes on there."),
    N_("The line to %(who)s was lost."),
    N_("The order has a name of its own, so it is not paid twice."),
    N_("The finished order names no address of its result."),
    N_("The result is no readable ZIP file (%(error)s)."),
    N_("The result holds %(count)s files, too many for its %(sounds)s sounds."),
    N_("The result holds a file that leads outside its folder: “%(name)s”."),
    N_("The result holds the file %(name)s twice."),
    N_("The result is encrypted."),
    N_("The result unfolds to %(size)s MB; at most %(most)s are read."),
    N_("The file %(name)s of the result unfolds to more than %(most)s MB."),
    N_("The file %(name)s of the result is not JSON."),
    N_("The answer holds no sound."),
    N_("%(who)s answered silence."),
    N_("The sound is silent."),
    N_("The result holds no sound for it."),
    N_("The service gave no reason."),
    N_("No answer came in the time a call may take."),
    N_("The call took longer than it may."),
    N_("%(who)s answered no list of voices."),
    N_("The list of voices did not come in time."),
    N_("%(who)s has no voice “%(name)s” in this region."),
    N_("The voice %(name)s has no style “%(style)s”."),
    N_("The voice %(name)s has no role “%(role)s”."),
    N_("%(who)s cannot speak with %(changes)s."),
    N_("Nothing of “%(shown)s” can be spoken."),
    N_("The sentence “%(shown)s” is longer than the %(size)s kB that %(who)s takes at once."),
    N_("“%(address)s” is no address of a speech resource."),
    N_("“%(region)s” is no region of %(who)s."),
)
PICTURES = (
    N_("The answer holds no picture."),
    N_("The picture is not base64."),
    N_("The picture from %(who)s is damaged and cannot be decoded; please export it again."),
    N_("The picture from %(who)s is not a picture we can read (%(kinds)s)."),
    N_("“%(model)s” is no model id."),
)
CONNECTION = (
    N_("%(who)s answered; the key may use %(model)s."),
    N_("%(who)s answered; the key may use %(model)s and %(count)s other models."),
    N_("%(who)s answered; the key may use %(count)s voices in %(languages)s languages."),
)
LINE = (
    N_("Requests do not go to local sockets."),
    N_("The host %(host)s has no address."),
    N_("%(host)s leads to %(address)s (%(why)s); requests go to public addresses only."),
    N_("%(place)s is not asked without encryption."),
    N_("%(place)s is not reached; requests go to ports 80 and 443 only."),
)
BUDGET = (
    N_("The job has %(spent)s spent of its limit of %(limit)s; %(next)s."),
    N_("The job has %(spent)s spent and %(aside)s set aside of its limit of %(limit)s; %(next)s."),
    N_("The project has this month %(spent)s spent of its limit of %(limit)s; %(next)s."),
    N_("The project has this month %(spent)s spent and %(aside)s set aside of its limit of %(limit)s; %(next)s."),
    N_("The workspace has this month %(spent)s spent of its limit of %(limit)s; %(next)s."),
    N_("The workspace has this month %(spent)s spent and %(aside)s set aside of its limit of %(limit)s; %(next)s."),
)

ADVICE = (
    N_("Enter a valid key for %(who)s in the provider's settings and test the connection."),
    N_("Enter its key again under Providers."),
    N_("Paste the key again, without spaces or line breaks."),
    N_("Raise the limit or add credit at %(who)s, or choose another provider; then retry the job."),
    N_("Nothing to do: it goes on by itself."),
    N_("If it happens often, lower the provider's rate in its settings."),
    N_("Allow the provider more calls at once, or wait."),
    N_("Raise the provider's rate, or wait."),
    N_("Nothing to do: it is tried again by itself."),
    N_("Testing its connection tells what is wrong."),
    N_("It is tried again by itself."),
    N_("It is tried again by itself; else give the reference to support."),
    N_("Nothing to do: it is asked again by itself, and not billed twice."),
    N_("Nothing to do: the same order is looked up again by itself and not paid twice."),
    N_("Nothing to do: %(then)s takes its place."),
    N_("Change the text it objects to, or choose another provider."),
    N_("Change the topic, the prompt or the facts, or choose another writer."),
    N_("Change what it names in the provider's or the recipe's settings, then retry the job."),
    N_("Change the input, then retry the job."),
    N_("Change what it names, then retry the job."),
    N_("Make the film shorter, lower the effort, or choose a model with longer answers."),
    N_("Use fewer knowledge documents or a model with a larger context."),
    N_("Choose a model that the provider offers today."),
    N_("Choose a model from the provider's list."),
    N_("Choose another one for the project and start a new job."),
    N_("Switch it on under Providers, then retry the job."),
    N_("Correct or remove the provider's own prices."),
    N_("Remove it."),
    N_(
        "It may have been paid, so it is not asked again by itself: check the provider's address and model, then "
        "retry the job to ask once more."
    ),
    N_("It is not asked and paid again by itself: retry the job to ask once more."),
    N_("Look the call up at %(who)s, then decide: repeat it, or skip it."),
    N_("Look the call up in the provider's own records, then decide on the job's page: repeat it, or do without it."),
    N_("The order is paid and still there: retry the job to fetch it again without paying again."),
    N_("Resume the job: the order is looked up again and its result fetched, without paying again."),
    N_("Check region and address of the speech resource in the provider's settings."),
    N_("Check region and address of the speech resource."),
    N_("Give an address such as %(address)s."),
    N_("Give the region of the speech resource as Azure writes it, such as eastus or brazilsouth."),
    N_("Give an http or https address."),
    N_("Give a public address, or have the operator allow this one in VFOS_EGRESS_ALLOW."),
    N_("Use a standard port, or have the operator allow this one in VFOS_EGRESS_ALLOW."),
    N_("Give an address that begins with https://, or have the operator allow this one in VFOS_EGRESS_ALLOW."),
    N_("Check the address for typing errors."),
    N_("Check the address, or test again later."),
    N_("Load the page again."),
    N_("Nearest: %(names)s."),
    N_("It has %(names)s."),
    N_("Use one of %(names)s."),
    N_("Use one of %(names)s, or none."),
    N_("Choose a voice from the list."),
    N_("Leave the style empty."),
    N_("Leave the style empty, or use %(names)s."),
    N_("Leave the role empty."),
    N_("Choose within %(ranges)s."),
    N_("Write words that can be read aloud, or delete the sentence."),
    N_("Write another text."),
    N_("Split the sentence."),
    N_("Raise the job's limit, then resume the job."),
    N_("Raise the project's monthly limit or wait for the next month, then resume the job."),
    N_("Raise the workspace's monthly limit or wait for the next month, then resume the job."),
    N_("Raise the workspace's monthly limit under Usage, or wait for the next month."),
)
"""What to do next."""

DRAFTS = (
    N_(
        "No knowledge document in “%(language)s” says anything about “%(topic)s”, and without a model the offline "
        "writer only tells what documents say."
    ),
    N_("Choose a topic that the workspace's knowledge tells about, or add a writer's key under Providers."),
    N_("The knowledge about “%(topic)s” fills about %(filled)s s of the %(asked)s s asked for."),
    N_("Ask for %(seconds)s s, or choose a topic that more is known about."),
    N_("Every fact about the topic breaks a validator, so nothing is left to tell."),
    N_("Change the facts or the validators named in the log."),
    N_("The draft voice could not speak the sentence: %(why)s."),
    N_("The draft voice stopped working twice on one sentence (%(why)s)."),
    N_("The draft voice “%(voice)s” is unknown."),
    N_("A board of %(width)s × %(height)s pixels cannot be painted."),
    N_("Choose a profile with sides between %(least)s and %(most)s pixels."),
    N_("The painter of art boards stopped working twice on one board (%(why)s)."),
    N_("The board could not be painted: %(why)s."),
    N_("Run the step again."),
    N_("The typeface %(face)s has no glyph for %(signs)s and %(more)s more."),
    N_("The typeface %(face)s has no glyph for %(signs)s."),
    N_("Reword the scene's headline, figure or kicker, or choose a picture for the scene."),
)
"""What the writer, the voice and the painter of this machine refuse."""
STEPS = (
    N_("Look at the findings, change the script or the presets, and run again from there."),
    N_("The disk is full in staging, where unfinished files are made."),
    N_("Free some space; the step goes on by itself, or retry the job."),
    N_("Then start the job again."),
)
"""What steps say of themselves."""

SAYINGS = (*FAILURES, *WRITER, *NARRATOR, *PICTURES, *CONNECTION, *LINE, *BUDGET, *ADVICE, *DRAFTS, *STEPS)

PARTS = (
    N_("the model “%(model)s”"),
    N_("batch synthesis at this address"),
    N_("live synthesis at this address"),
    N_("this list of voices"),
    N_("what was asked for"),
    N_("the art board"),
    N_("the draft voice"),
    N_("the offline writer"),
    N_("the next part may cost %(price)s"),
    N_("what the next part costs is not known"),
)
"""What may stand in place of a name."""
