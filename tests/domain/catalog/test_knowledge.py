from domain.catalog.knowledge import KnowledgeDocument, parse_document, select_facts, unsourced

FIELDS = """---
title: The deep fields
tags: [hubble, deep field]
---

# The deep fields

- In 1995, Hubble stared at one dark patch of sky for ten days. [hdf]
- The picture showed about 3,000 galaxies. Each one is a **whole** [island](https://example.org) of stars. [hdf, atlas]

## Sources

hdf: Deepest View — NASA, 1996
atlas: Atlas of Galaxies — ESA, 2001
"""

KITCHEN = """# Bread
Tags: food, baking

## Dough
Bread dough needs flour, water and salt.
Source: A baker's book, 1999
Yeast makes the dough rise within
two hours.

## Oven
Source: An oven manual
- Bread bakes at about 230 degrees.
"""


def document(text, slug="fields", language="en", tier=3):
    return KnowledgeDocument(slug, "The deep fields", text, language, tier)


class TestParseDocument:
    def test_keys_name_sources_and_leave_no_trace(self):
        facts = parse_document(document(FIELDS))
        assert [fact.text for fact in facts] == [
            "In 1995, Hubble stared at one dark patch of sky for ten days.",
            "The picture showed about 3,000 galaxies.",
            "Each one is a whole island of stars.",
        ]
        assert facts[0].source == "Deepest View — NASA, 1996"
        assert facts[1].source == "Deepest View — NASA, 1996; Atlas of Galaxies — ESA, 2001"
        assert facts[0].tags == ("hubble", "deep field")
        assert [fact.position for fact in facts] == [0, 1, 2]

    def test_source_lines_serve_the_facts_above_or_else_below(self):
        facts = parse_document(document(KITCHEN))
        assert [(fact.theme, fact.text, fact.source) for fact in facts] == [
            ("Dough", "Bread dough needs flour, water and salt.", "A baker's book, 1999"),
            ("Dough", "Yeast makes the dough rise within two hours.", ""),
            ("Oven", "Bread bakes at about 230 degrees.", "An oven manual"),
        ]
        assert facts[0].tags == ("food", "baking")
        assert [fact.text for fact in unsourced(document(KITCHEN))] == ["Yeast makes the dough rise within two hours."]

    def test_ids_survive_edits_elsewhere(self):
        before = parse_document(document(KITCHEN))
        after = parse_document(document(KITCHEN.replace("Bread dough needs", "Every bread dough needs")))
        assert before[0].id != after[0].id
        assert [fact.id for fact in before[1:]] == [fact.id for fact in after[1:]]

    def test_a_repeated_sentence_is_one_fact(self):
        assert len(parse_document(document("- The sky is dark.\n- The sky is dark."))) == 1


class TestSelectFacts:
    def test_tiers_and_language(self):
        brand = document("- We never say the word cosmic.", "brand", tier=1)
        bread = document(KITCHEN, "bread", tier=3)
        foreign = document("- O Hubble foi lançado em 1990.", "pt", language="pt-BR", tier=1)
        facts = select_facts("Hubble's dark patch", [brand, document(FIELDS), bread, foreign], 5, "en")
        assert [fact.id.split("#")[0] for fact in facts] == ["brand", "fields", "fields", "fields"]

    def test_tier_two_comes_along_when_nothing_is_about_the_topic(self):
        named, other = document(FIELDS, tier=2), document(KITCHEN, "bread", tier=3)
        assert {f.id.split("#")[0] for f in select_facts("Whales", [named, other], 9, "en")} == {"fields"}

    def test_number_words_meet_digits(self):
        text = "- One survey counted 3,000 galaxies.\n- Another survey saw only dust.\n- A third survey saw one comet."
        facts = select_facts("three thousand of them", [document(text)], 1, "en")
        assert [fact.text for fact in facts] == ["One survey counted 3,000 galaxies."]

    def test_diversity_beats_a_repetition(self):
        text = (
            "- Hubble saw a dark patch of sky in 1995.\n- In 1995 Hubble saw a dark patch of the sky.\n"
            "- Hubble carries a mirror 2.4 metres wide."
        )
        facts = select_facts("Hubble", [document(text)], 2, "en")
        assert "mirror" in facts[-1].text

    def test_never_more_than_asked_for(self):
        text = "\n".join(f"- Hubble observed galaxy number {n} for a night." for n in range(40))
        assert len(select_facts("Hubble", [document(text)], 7, "en")) == 7
