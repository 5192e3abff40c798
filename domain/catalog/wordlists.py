"""Word lists by primary language: words that carry no meaning of their own, and words about films."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS = {
    "en": _set(
        "a about after all also am an and any are as at be because been before being both but by can could "
        "did do does doing each few for from had has have having he her here hers him his how i if in into is "
        "it its itself just like may me might more most must my no nor not of off on once one only or other "
        "our out over own per same she should so some such than that the their them then there these they "
        "this those through to too under until up upon us very was we were what when where whether which "
        "while who whom why will with within without would you your "
    ),
    "pt": _set(
        "a ao aos aquela aquele aquilo as até cada com como da das de dela dele demais depois do dos e ela "
        "elas ele eles em entre era eram essa essas esse esses esta estas este estes está estão eu foi foram "
        "há isso isto já lhe mais mas me mesmo meu minha muito muitos na nas nem no nos nossa nosso num numa "
        "não nós o os ou para pela pelas pelo pelos per por porque qual quando que quem se sem ser será seu "
        "seus sob sobre sua suas só também te tem ter teu toda todas todo todos tua tão têm um uma umas uns "
        "você vocês à às é "
    ),
}

FILLER_WORDS = {
    "en": _set(
        "amazing beginners children create documentary explain explained fact facts film guide history "
        "incredible intro introduction kids know made make minute minutes new people real really second "
        "seconds short simple simply story surprising tale tell thing things today truth video work works "
        "world "
    ),
    "pt": _set(
        "coisa coisas conte conto crianças crie curta documentário explicada explicado explique fato fatos "
        "faça filme funciona funcionam guia história hoje incríveis incrível iniciantes introdução minuto "
        "minutos mundo nova novo pessoas saber segundo segundos simples surpreendente verdade video vídeo "
    ),
}

ABBREVIATIONS = _set(
    "approx aprox av dr dra e.g etc feb fev fig i.e jan mr mrs ms no p.ex prof profa pág sr sra st séc u.s vs "
)

NUMBER_WORDS: dict[str, dict[str, float]] = {
    "en": {
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
        "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
        "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
        "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9,
        "trillion": 1e12,
    },
    "pt": {
        "um": 1, "uma": 1, "dois": 2, "duas": 2, "três": 3, "quatro": 4, "cinco": 5, "seis": 6, "sete": 7, "oito": 8,
        "nove": 9, "dez": 10, "onze": 11, "doze": 12, "treze": 13, "quatorze": 14, "quinze": 15, "dezesseis": 16,
        "dezessete": 17, "dezoito": 18, "dezenove": 19, "vinte": 20, "trinta": 30, "quarenta": 40, "cinquenta": 50,
        "sessenta": 60, "setenta": 70, "oitenta": 80, "noventa": 90, "cem": 1e2, "mil": 1e3, "milhão": 1e6,
        "milhões": 1e6, "bilhão": 1e9, "bilhões": 1e9, "trilhão": 1e12, "trilhões": 1e12,
    },
}  # fmt: skip
