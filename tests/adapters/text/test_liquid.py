import pytest

from adapters.text.liquid import check_prompt, render_prompt
from domain.catalog.knowledge import Fact
from domain.catalog.prompting import PromptFault, PromptInputs

NOW = "2026-03-04T05:06:07+00:00"
INPUTS = PromptInputs("Black holes", "en", 60, tone="calm", facts=[Fact("d#1", "They are dark.", "NASA", "D")])


async def render(template, variables=None):
    return await render_prompt(template, variables or INPUTS.variables(), now=NOW)


class TestRenderPrompt:
    async def test_inputs_filters_and_loops(self):
        template = "{{ topic | upcase }} {{ words }}{% for fact in facts %} [{{ fact.id }}] {{ fact.text }}{% endfor %}"
        assert await render(template) == "BLACK HOLES 144 [d#1] They are dark."

    async def test_the_clock_is_an_input(self):
        assert await render("{{ 'now' | date: '%d/%m/%Y %H:%M' }} {{ now }}") == f"04/03/2026 05:06 {NOW}"

    @pytest.mark.parametrize(
        ("template", "words"),
        [
            ("{{ nope }}", "line 1.*nope"),
            ("one\n{% if %}", "line 2"),
            ("{{ 'a' | base64_encode }}", "unknown filter"),
            ("{% include 'passwd' %}", "unexpected tag"),
            ("{% render 'x' %}", "unexpected tag"),
            ("{{ topic.__class__ }}", "__class__"),
            ("x" * 50_001, "at most 50000"),
        ],
    )
    async def test_mistakes_end_in_one_sentence(self, template, words):
        with pytest.raises(PromptFault, match=words) as caught:
            await render(template)
        assert "\n" not in caught.value.sentence
        assert "Traceback" not in caught.value.sentence

    @pytest.mark.parametrize(
        "template",
        [
            "{% assign s = 'aaaaaaaaaa' %}"
            "{% for i in (1..30) %}{% assign s = s | replace: 'a', 'aaaaaaaaaa' %}{% endfor %}{{ s }}",
            "{% assign s = 'aaaaaaaaaa' | replace: 'a', 'aaaaaaaaaa' | replace: 'a', 'aaaaaaaaaa' "
            "| replace: 'a', 'aaaaaaaaaa' | replace: 'a', 'aaaaaaaaaa' %}{{ s | replace: '', s }}",
            "{{ (1..30000000) | join: ',' }}",
            "{{ (1..30000000) | reverse | first }}",
            "{% for i in (1..30000000) %}x{% endfor %}",
            "{% for i in (1..9000) %}{% for j in (1..9000) %}{% endfor %}{% endfor %}",
            "{% assign x = 9 %}{% for i in (1..9000) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
            "{% for i in (1..9000) %}{{ topic }}{{ topic }}{{ topic }}{{ topic }}{{ topic }}{{ topic }}{% endfor %}",
        ],
    )
    async def test_greedy_templates_are_stopped_with_a_fix(self, template):
        with pytest.raises(PromptFault, match="simpler") as caught:
            await render(template)
        assert len(caught.value.sentence) < 300


class TestCheckPrompt:
    @pytest.mark.parametrize(
        ("template", "faults"),
        [
            ("{{ topic }}{% for f in facts %}{{ f.text | upcase }}{% endfor %}{{ 'now' | date: '%Y' }}", []),
            ("{% comment %}{% nope %}{{ x }}{% endcomment %}{% raw %}{% nope %}{% endraw %}", []),
            ("{%- comment -%}\n{% y %}\n{%- endcomment -%}\n{% zap %}", [(4, "tag", "zap", "")]),
            ("{{ topci }}\n{{ topic | upcse }}", [(1, "variable", "topci", "topic"), (2, "filter", "upcse", "upcase")]),
            ("{% fro x in facts %}\n\n{{ nope }}", [(1, "tag", "fro", "for"), (3, "variable", "nope", "")]),
            ("{% assign x = 1 %}{{ x }}{% capture y %}{% endcapture %}{{ y }}", []),
            ("one\n{{ topic", [(2, "syntax", "", "")]),
            ("{% if topic %}", [(0, "syntax", "", "")]),
            ("\n{{ project.nope }}", [(2, "syntax", "", "")]),
            ("{% for i in (1..30000000) %}x{% endfor %}", [(0, "limit", "", "")]),
        ],
    )
    async def test_every_fault_with_its_line(self, template, faults):
        found = await check_prompt(template)
        assert [(fault.line, fault.code, fault.name, fault.near) for fault in found] == faults
