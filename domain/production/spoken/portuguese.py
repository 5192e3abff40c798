"""Numbers in Brazilian Portuguese words."""

from __future__ import annotations

LOW = (
    "zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze",
    "treze", "quatorze", "quinze", "dezesseis", "dezessete", "dezoito", "dezenove",
)  # fmt: skip
TENS = ("", "", "vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa")
HUNDREDS = ("", "cento", "duzentos", "trezentos", "quatrocentos", "quinhentos", "seiscentos", "setecentos",
            "oitocentos", "novecentos")  # fmt: skip
SCALES = ((10**12, "trilhão", "trilhões"), (10**9, "bilhão", "bilhões"), (10**6, "milhão", "milhões"))
ORDINALS = ("", "primeiro", "segundo", "terceiro", "quarto", "quinto", "sexto", "sétimo", "oitavo", "nono", "décimo")
ORDINAL_TENS = ("", "décimo", "vigésimo", "trigésimo", "quadragésimo", "quinquagésimo", "sexagésimo", "septuagésimo",
                "octogésimo", "nonagésimo")  # fmt: skip
MONTHS = ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
          "novembro", "dezembro")  # fmt: skip


def cardinal(number: int, feminine: bool = False) -> str:
    """A whole number in words; `feminine` agrees with a feminine noun: duas mil, trezentas e quarenta e duas."""
    if number < 0:
        return "menos " + cardinal(-number, feminine)
    for size, one, many in SCALES:
        if number >= size:
            count, rest = divmod(number, size)
            head = f"{cardinal(count)} {one if count == 1 else many}"
            return head + (_link(rest) + cardinal(rest, feminine) if rest else "")
    if number >= 1000:
        count, rest = divmod(number, 1000)
        head = "mil" if count == 1 else f"{_below_thousand(count, feminine)} mil"
        return head + (_link(rest) + _below_thousand(rest, feminine) if rest else "")
    return _below_thousand(number, feminine)


def _link(rest: int) -> str:
    """“e” before a rest that is small or round, else nothing (mil e cem; mil duzentos e trinta)."""
    while rest % 1000 == 0:
        rest //= 1000
    return " e " if rest < 1000 and (rest < 100 or rest % 100 == 0) else " "


def _below_thousand(number: int, feminine: bool) -> str:
    if number == 100:
        return "cem"
    hundreds, rest = divmod(number, 100)
    parts = []
    if hundreds:
        word = HUNDREDS[hundreds]
        parts.append(word[:-2] + "as" if feminine and hundreds > 1 else word)
    if rest >= 20:
        parts.append(TENS[rest // 10])
        rest %= 10
    if rest or not parts:
        parts.append({1: "uma", 2: "duas"}.get(rest, LOW[rest]) if feminine else LOW[rest])
    return " e ".join(parts)


def ordinal(number: int, feminine: bool = False) -> str:
    """A place in an order up to 99; above, the cardinal (as people say it)."""
    if not 1 <= number <= 99:
        return cardinal(number, feminine)
    tens, units = divmod(number, 10)
    words = [ORDINAL_TENS[tens]] if tens else []
    words += [ORDINALS[units]] if units else []
    return " ".join(word[:-1] + "a" if feminine else word for word in words)


def year(number: int) -> str:
    """A year as it is said, like the cardinal."""
    return cardinal(number)


def decade(number: int) -> str:
    """A decade as it is said: anos mil novecentos e noventa."""
    return cardinal(number)


def decimals(digits: str) -> str:
    """Digits after the comma: as one number up to two digits, else one by one."""
    if len(digits) <= 2 and not digits.startswith("0"):
        return cardinal(int(digits))
    return " ".join(LOW[int(digit)] for digit in digits)


def date(day: int, month: int, full_year: int) -> str:
    """A calendar date."""
    return f"{'primeiro' if day == 1 else cardinal(day)} de {MONTHS[month - 1]} de {year(full_year)}"


def clock(hours: int, minutes: int) -> str:
    """A time of day."""
    spoken = f"{cardinal(hours, True)}"
    if minutes == 0:
        return f"{spoken} {'hora' if hours == 1 else 'horas'}"
    return f"{spoken} e {cardinal(minutes)}"
