import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.speech.ssml import BadSsml, for_azure, for_espeak, parse
from domain.production.speech import Emphasis, Mark, Pause, Prosody, SayAs, Speak, Sub, Text, Voice, to_ssml

TREE = Speak(
    "pt-BR",
    (
        Voice(
            "pt-BR-X",
            (
                Prosody(
                    (
                        Mark("0"),
                        Text("R & D <x> "),
                        Mark("1"),
                        Sub('dez "quilos"', "10 kg"),
                        Pause(400),
                        SayAs("date", "05/10/2026", "dmy"),
                        Emphasis("strong", (Text("já."),)),
                    ),
                    rate=8,
                    pitch=-2,
                ),
            ),
        ),
    ),
)


class TestRoundTrip:
    def test_the_canonical_form_reads_back_as_the_same_tree(self):
        assert parse(to_ssml(TREE)) == TREE

    @given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=80))
    def test_any_text_stays_text_in_every_dialect(self, text):
        tree = Speak("en", (Voice("v", (Mark("0"), Text(text), Sub(text, "x"))),))
        for ssml in (to_ssml(tree), for_azure(tree), for_espeak(tree.children)):
            root = ET.fromstring(ssml)
            assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
                "speak", "voice", "mark", "bookmark", "sub",
            }  # fmt: skip

    def test_azure_gets_bookmarks_both_name_spaces_and_relative_prosody(self):
        ssml = for_azure(TREE)
        assert 'version="1.0"' in ssml
        assert "xmlns:mstts=" in ssml
        assert '<bookmark mark="1"/>' in ssml
        assert "<mark" not in ssml
        assert '<prosody rate="+8%" pitch="-2%">' in ssml
        assert '<say-as interpret-as="date" format="dmy">05/10/2026</say-as>' in ssml
        ET.fromstring(ssml)

    def test_espeak_gets_aliases_as_text_and_one_full_stop(self):
        ssml = for_espeak((Mark("0"), Text("No. "), Mark("1"), Sub("five euros.", "€5."), Mark("2"), Text("Yes! ")))
        assert ssml == '<speak><mark name="0"/>No, <mark name="1"/>five euros,<mark name="2"/>Yes! </speak>'


class TestForeignSsml:
    def test_azure_markup_is_read(self):
        tree = parse(
            '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US"><voice name="v">'
            '<prosody rate="fast" pitch="low" volume="80%">a<bookmark mark="m"/><break strength="weak"/></prosody>'
            '<break time="1.5s"/><break/></voice></speak>'
        )
        assert tree == Speak(
            "en-US",
            (
                Voice(
                    "v",
                    (
                        Prosody((Text("a"), Mark("m"), Pause(500)), rate=25, pitch=-15, volume=80),
                        Pause(1500),
                        Pause(750),
                    ),
                ),
            ),
        )

    @pytest.mark.parametrize(
        ("ssml", "words"),
        [
            ('<!DOCTYPE speak [<!ENTITY a "aaaa">]><speak>&a;</speak>', "DTD"),
            ('<!DOCTYPE speak SYSTEM "file:///etc/passwd"><speak/>', "DTD"),
            ("<speak>&unknown;</speak>", "well-formed"),
            ("<speak><?php x?></speak>", "processing instruction"),
            ('<speak><audio src="https://example.org/x.wav"/></speak>', "<audio>"),
            ("<p>text</p>", "begin with <speak>"),
            ("<speak><voice>x</voice></speak>", "name is missing"),
            ('<speak><break time="soon"/></speak>', "no time"),
            ('<speak><prosody rate="warp">x</prosody></speak>', "no rate"),
            ("<speak>" + "<s>" * 30 + "</s>" * 30 + "</speak>", "nested deeper"),
            ("<speak>" + "x" * 70_000 + "</speak>", "at most 64000"),
            ("<speak>", "well-formed"),
            ("", "well-formed"),
        ],
    )
    def test_what_is_refused_is_named(self, ssml, words):
        with pytest.raises(BadSsml, match=words):
            parse(ssml)
