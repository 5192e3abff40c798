import pytest

from domain.catalog.validators import make_validator
from domain.production.ports import ScriptRequest, Usage, WrittenScript
from domain.production.scripting import ScriptRejected, write_script
from domain.studio.script import Script


def draft(*texts, **scene):
    sentences = [{"id": f"s1.{n}", "text": text} for n, text in enumerate(texts, 1)]
    return {"title": "T", "language": "en", "scenes": [{"id": "s1", "sentences": sentences, **scene}]}


class Scripted:
    """A writer that hands out prepared drafts and keeps what it was asked."""

    name = "scripted"

    def __init__(self, *drafts, price=5):
        self.drafts, self.price, self.requests = list(drafts), price, []

    async def write(self, request):
        self.requests.append(request)
        return WrittenScript(self.drafts.pop(0), "scripted", "m", Usage({"tokens": 10}, self.price))


REQUEST = ScriptRequest("Sky", "en", 60, "calm", "", "", (), "seed")
SHORT = [make_validator("length", {"max_words": 4})]


class TestWriteScript:
    async def test_a_good_draft_is_asked_for_once(self):
        writer = Scripted(draft("All is well."))
        written, script, faults = await write_script(writer, REQUEST, SHORT)
        assert (len(writer.requests), script.words(), faults) == (1, 3, [])
        assert Script.model_validate(written.script) == script

    async def test_faults_go_back_to_the_writer_with_the_draft(self):
        bad, rounds = draft("This is far too long now."), []
        writer = Scripted(bad, draft("Short."))
        written, script, _ = await write_script(
            writer, REQUEST, SHORT, on_round=lambda n, w, f: rounds.append((n, len(f)))
        )
        assert script.sentences()[0].text == "Short."
        assert writer.requests[1].previous == bad
        assert writer.requests[1].faults == [
            "[too_long] script: The script has 6 words; at most 4 are allowed. Cut 2 words."
        ]
        assert written.usage == Usage({"tokens": 20}, 10)
        assert rounds == [(1, 1), (2, 0)]

    async def test_a_price_that_is_unknown_stays_unknown(self):
        written, _, _ = await write_script(Scripted(draft("Fine."), price=None), REQUEST, [])
        assert written.usage.micro_dollars is None

    async def test_wrong_form_is_a_fault_like_any_other(self):
        writer = Scripted({"title": "", "scenes": []}, draft("Fine."))
        await write_script(writer, REQUEST, [])
        places = [fault.split(":")[0] for fault in writer.requests[1].faults]
        assert places == ["[form] /title", "[form] /language", "[form] /scenes"]

    async def test_it_gives_up_naming_every_fault_and_keeping_the_drafts(self):
        validators = [*SHORT, make_validator("banned_words", {"words": ["sky"]})]
        with pytest.raises(ScriptRejected) as caught:
            await write_script(Scripted(*[draft("The sky is much too long.")] * 2), REQUEST, validators, max_rounds=2)
        assert "at most 4" in caught.value.sentence
        assert "banned word “sky”" in caught.value.sentence
        assert len(caught.value.drafts) == 2

    async def test_warnings_do_not_stop_a_script(self):
        mild = [make_validator("length", {"max_words": 1}, severity="warning")]
        _, _, faults = await write_script(Scripted(draft("Two words.")), REQUEST, mild)
        assert [fault.code for fault in faults] == ["too_long"]

    async def test_what_cannot_be_spoken_is_a_fault(self):
        with pytest.raises(ScriptRejected) as caught:
            await write_script(Scripted(draft("Bell\u0007 rings.", "…")), REQUEST, [], max_rounds=1)
        assert [fault.code for fault in caught.value.faults] == ["control", "silent"]

    async def test_repeated_ids_are_put_right_and_sound_ones_kept(self):
        made = draft("One.", "Two.", "Three.")
        made["scenes"][0]["sentences"][2]["id"] = "s1.1"
        made["scenes"].append({"id": "s1", "sentences": [{"id": "intro", "text": "Four."}]})
        _, script, _ = await write_script(Scripted(made), REQUEST, [])
        ids = [sentence.id for sentence in script.sentences()]
        assert ids[:2] == ["s1.1", "s1.2"]
        assert ids[3] == "intro"
        assert len(set(ids)) == 4
        assert len({scene.id for scene in script.scenes}) == 2
