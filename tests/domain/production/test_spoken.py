import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.production.spoken import english, portuguese
from domain.production.spoken.reading import read_tokens, tokens_of


def spoken(text, language):
    return " ".join(token.spoken for token in read_tokens(tokens_of(text, language), language) if token.spoken)


ENGLISH = [
    ("In 1990 and 2004", "In nineteen ninety and two thousand four"),
    ("about 3,000 galaxies", "about three thousand galaxies"),
    ("13.8 billion years", "thirteen point eight billion years"),
    ("it cost $10 billion.", "it cost ten billion dollars."),
    ("$1.50 or €1", "one dollar and fifty cents or one euro"),
    ("at −270 °C, or 2.7 K", "at minus two hundred seventy degrees Celsius, or two point seven kelvin"),
    ("1 km and 5 km", "one kilometer and five kilometers"),
    ("95% of the 1990s", "ninety-five percent of the nineteen nineties"),
    ("on 1995-12-18", "on December eighteenth, nineteen ninety-five"),
    ("the 1st and 21st", "the first and twenty-first"),
    ("from 10–20 stars", "from ten to twenty stars"),
    ("at 3:30", "at three thirty"),
    ("Dr. Smith", "doctor Smith"),
    ("10²⁴ stars", "ten to the power of twenty-four stars"),
    ("a 2.4-metre mirror", "a two point four metre mirror"),
]
PORTUGUESE = [
    ("R$ 1.234,56", "mil duzentos e trinta e quatro reais e cinquenta e seis centavos"),
    ("às 15h30.", "às quinze e trinta."),
    ("às 15h", "às quinze horas"),
    ("13,8 bilhões de anos", "treze vírgula oito bilhões de anos"),
    ("342 exposições e 342 anos", "trezentas e quarenta e duas exposições e trezentos e quarenta e dois anos"),
    ("2 luas e 2 planetas", "duas luas e dois planetas"),
    ("a −270 °C", "a menos duzentos e setenta graus Celsius"),
    ("1 km, 5 km", "um quilômetro, cinco quilômetros"),
    ("em 18/12/1995", "em dezoito de dezembro de mil novecentos e noventa e cinco"),
    ("US$ 10 bilhões", "dez bilhões de dólares"),
    ("R$ 2.000.000", "dois milhões de reais"),
    ("95% e 1,5%", "noventa e cinco por cento e um vírgula cinco por cento"),
    ("a 1ª vez", "a primeira vez"),
    ("1.100 e 1.101", "mil e cem e mil cento e um"),
]


class TestReading:
    @pytest.mark.parametrize(("text", "wanted"), ENGLISH)
    def test_english(self, text, wanted):
        assert spoken(text, "en-US") == wanted

    @pytest.mark.parametrize(("text", "wanted"), PORTUGUESE)
    def test_portuguese(self, text, wanted):
        assert spoken(text, "pt-BR") == wanted

    def test_dates_follow_the_country(self):
        assert spoken("on 03/04/2020", "en-US") == "on March fourth, twenty twenty"
        assert spoken("on 03/04/2020", "en-GB") == "on April third, twenty twenty"

    def test_pictographs_and_brackets_are_silent(self):
        assert spoken("Look 😀 (now) “here”!", "en") == "Look now here!"

    def test_punctuation_and_money_join_their_word(self):
        assert tokens_of("It cost R$ 5 — or less.", "en") == ["It", "cost", "R$ 5 —", "or", "less."]
        assert tokens_of("For $10 billion, yes", "en") == ["For", "$10 billion,", "yes"]

    @given(
        st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=60),
        st.sampled_from(["en", "pt-BR", "ja"]),
    )
    def test_no_shown_character_is_ever_lost(self, text, language):
        tokens = read_tokens(tokens_of(text, language), language)
        assert " ".join(token.shown for token in tokens).split() == text.split()


class TestNumerals:
    @given(st.integers(0, 10**15 - 1))
    def test_words_are_unlike_for_unlike_numbers(self, number):
        assert english.cardinal(number) != english.cardinal(number + 1)
        assert portuguese.cardinal(number) != portuguese.cardinal(number + 1)

    @pytest.mark.parametrize(
        ("number", "words"),
        [
            (0, "zero"),
            (16, "dezesseis"),
            (100, "cem"),
            (101, "cento e um"),
            (1000, "mil"),
            (2021, "dois mil e vinte e um"),
            (1_000_000, "um milhão"),
            (2_500_000, "dois milhões e quinhentos mil"),
            (-3, "menos três"),
        ],
    )
    def test_portuguese_cardinals(self, number, words):
        assert portuguese.cardinal(number) == words

    @pytest.mark.parametrize(
        ("number", "words"), [(12, "twelfth"), (20, "twentieth"), (33, "thirty-third"), (101, "one hundred first")]
    )
    def test_english_ordinals(self, number, words):
        assert english.ordinal(number) == words

    @pytest.mark.parametrize(
        ("year", "words"), [(1900, "nineteen hundred"), (1905, "nineteen oh five"), (2024, "twenty twenty-four")]
    )
    def test_english_years(self, year, words):
        assert english.year(year) == words
