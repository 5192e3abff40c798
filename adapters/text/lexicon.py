"""Word knowledge of the offline writer: verbs that end a subject, number words, months, openings that lean back."""

from __future__ import annotations

import re
from dataclasses import dataclass


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _english_verbs() -> frozenset[str]:
    regular = _set(
        "account approach arrive ask burn call carry change circle clean close collect collide combine "
        "compare complete connect contain correct cost count cover create cross decide depend describe "
        "discover drift drop earn end enter erupt exercise exist expand explain explode explore fade fit "
        "float follow form fuse gather glow happen help host house hover hunt include increase invent join "
        "kick land last launch lead learn lift live look love measure move name need observe occur open orbit "
        "outlive pass photograph play point power protect prove publish pull push raise reach receive record "
        "reduce reflect release remain repeat require rest return reveal rotate save seem serve shift shine "
        "show shrink sink slow solve speed spell spin split spread stare start stay stop stretch study "
        "suggest support survive swing teach tick touch trace train travel treat turn use visit vote wait "
        "walk want warm watch weigh win wonder work "
    )
    irregular = _set(
        "accounts almost also always are be became become becomes been began begin begins bring brings "
        "brought build builds built burnt came can choose chooses chose come comes cost could did do does "
        "draw draws drew fall falls fed fell felt find finds fitted flew flies fly found gave get gets give "
        "gives go goes got grew grow grows had has have hear heard hears held hit hits hold holds is keep "
        "keeps kept knew know knows lay lead leave leaves led left lie lies lit lose loses lost made make "
        "makes marks may mean means meant meet meets met might must never only pack packs paid pay pays put "
        "puts ran rise rises rose run runs said sang sank sat saw say says see sees sell sells send sends "
        "sent set sets shed shone sit sits sleeps slept speak speaks spent spoke stand stands still stood "
        "swam sweep sweeps swept take takes tell tells think thinks thought threw told took understood was "
        "went were will won would write writes wrote "
    )
    forms = {form for verb in regular for form in (verb, _third(verb), _past(verb))}
    nouns = _set("form power record study work point end rest shift split rotate last host house")
    return (frozenset(forms) | irregular) - nouns


def _third(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


def _past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "ed"


_PORTUGUESE_VERBS = _set(
    "é são era eram foi foram será serão está estão estava estavam fica ficam ficava tem têm tinha tinham há havia "
    "cobre cobrem contém contêm mostra mostram leva levam dá dão faz fazem fez pode podem pôde vai vão gira giram "
    "carrega carregam brilha brilham perde perdem mede medem voa voam vê veem viu vive vivem reúne reúnem forma formam "
    "responde respondem chega chegam chegava parte partem passa passam passará obtém obtêm precisa precisam usa usam "
    "nasce nascem morre morrem cai caem sobe sobem vem vêm veio muda mudam deixa deixam mantém mantêm observa observam "
    "vale valem permite permitem começa começam termina terminam conta contam capta captam colidem colide estica "
    "funde funcionam funciona sabe sabem lê pesa pesam custa custam acontece acontecem revela revelam aproxima "
    "aproximam afasta afastam se não nunca sempre ainda já também quase só desloca abriga concentra reflete refletem "
    "flutua flutuam recupera emite vieram indica queimam queima circula empurra usou impulsiona soltam aceleram exige"
)
_PORTUGUESE_PAST = re.compile(r"^\w{2,}(?:ou|aram|eram|iram|eu|iu|avam|ará|arão|erá|irá)$")
_NOT_PAST = _set("céu museu europeu ateu eu seu meu teu judeu apogeu troféu véu chapéu caram")


@dataclass(frozen=True)
class Lexicon:
    """What the writer knows of one language's words."""

    verbs: frozenset[str]
    articles: frozenset[str]
    number_words: frozenset[str]
    magnitudes: frozenset[str]
    hedges: tuple[str, ...]
    months: frozenset[str]
    per: tuple[str, ...]
    leaning: re.Pattern[str]
    timeless: re.Pattern[str]
    fronted: re.Pattern[str]
    cut: frozenset[str]
    splits: tuple[re.Pattern[str], ...]


LEXICON = {
    "en": Lexicon(
        verbs=_english_verbs(),
        articles=_set("the a an"),
        number_words=_set(
            "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred"
        ),
        magnitudes=_set("hundred thousand million billion trillion"),
        hedges=("about", "almost", "nearly", "roughly", "over", "at least", "more than"),
        months=_set("january february march april may june july august september october november december"),
        per=("per second", "per hour", "per minute", "per year", "a day", "a year", "a month"),
        leaning=re.compile(
            r"^(?:It|They|He|She|This|That|These|Those|Its|Their|His|Her|Such|Both|Another)\b"
            r"|^(?:In|On|At|From|For|After|Before|Since)\b[^,]{0,40}, (?:it|its|they|their|he|she|this|these)\b"
            r"|^(?:\S+ ){1,4}the (?:field|picture|image|result|idea|plan|two|three)\b"
        ),
        timeless=re.compile(
            r"\b(?:every|whole|universe|today|still|always|never|everything|all|most distant|looking|made in)\b",
            re.I,
        ),
        fronted=re.compile(
            r"^(?:In|On|At|From|For|By|With|Without|After|Before|Between|During|Since|Today|When|While|As|To|Near|Over|"
            r"Under|About)\b[^,]{1,60}, "
        ),
        cut=_set("of in on at from with for by that which who to between about aboard around near and or above below"),
        splits=(
            re.compile(r";\s+(?=\w)"),
            re.compile(r"\s+[—–]\s+(?=(?:it|they|we|the|this|that|these|its)\b)", re.I),
            re.compile(r",\s+and\s+(?=(?:it|they|we|he|she|the|its|this|these|his|her|[A-Z])\w*)"),
            re.compile(r",\s+(?=(?:but|so)\s+(?:it|they|we|he|she|the|its|this|these|nothing|everything|one)\b)"),
        ),
    ),
    "pt": Lexicon(
        verbs=_PORTUGUESE_VERBS,
        articles=_set("o a os as um uma uns umas"),
        number_words=_set(
            "dois duas três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete "
            "dezoito dezenove vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem duzentos"
        ),
        magnitudes=_set("mil milhão milhões bilhão bilhões trilhão trilhões"),
        hedges=("cerca de", "quase", "mais de", "pelo menos", "aproximadamente"),
        months=_set("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
        per=("por segundo", "por hora", "por minuto", "por ano", "por dia", "por mês", "por cento"),
        leaning=re.compile(
            r"^(?:Ele|Ela|Eles|Elas|Isso|Isto|Esse|Essa|Esses|Essas|Este|Esta|Estes|Estas|Seu|Sua|Seus|Suas|Ambos|Ambas)\b"
            r"|^(?:\S+ ){1,4}(?:esse|essa|esses|essas|deles|delas)\b"
        ),
        timeless=re.compile(
            r"\b(?:todo|toda|todos|todas|inteir[oa]|universo|hoje|ainda|sempre|nunca|tudo|mais distante|olhar)\b", re.I
        ),
        fronted=re.compile(
            r"^(?:Em|No|Na|Nos|Nas|Ao|Aos|À|Às|De|Do|Da|Das|Dos|Para|Por|Com|Sem|Após|Antes|Depois|Entre|Durante|Desde|"
            r"Hoje|Quando|Enquanto|Sob|Sobre|Visto|Vista)\b[^,]{1,60}, "
        ),
        cut=_set("de do da dos das em no na nos nas com por para que e ou entre sobre a ao à cerca pelo pela"),
        splits=(
            re.compile(r";\s+(?=\w)"),
            re.compile(r"\s+[—–]\s+(?=(?:ele|ela|eles|elas|isso|o|a|os|as)\b)", re.I),
            re.compile(r",\s+e\s+(?=(?:o|a|os|as|ele|ela|eles|elas|isso|nada|tudo|[A-ZÀ-Þ])\w*\s)"),
            re.compile(r",\s+(?=mas\s+(?:o|a|os|as|ele|ela|eles|elas|isso|nada|tudo)\b)"),
        ),
    ),
}


def is_verb(word: str, lang: str) -> bool:
    """Whether a word can end a subject; a guess from lists and endings."""
    low = word.casefold().strip(",.;:!?")
    if low in LEXICON[lang].verbs:
        return True
    return lang == "pt" and low not in _NOT_PAST and bool(_PORTUGUESE_PAST.match(low))
