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
