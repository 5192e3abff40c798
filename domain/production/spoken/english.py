"""Numbers in English words."""

from __future__ import annotations

LOW = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
IRREGULAR = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
             "twelve": "twelfth"}  # fmt: skip
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip


def cardinal(number: int, feminine: bool = False) -> str:
    """A whole number in words, such as three hundred forty-two (`feminine` has no effect in English)."""
    if number < 0:
        return "minus " + cardinal(-number)
    if number < 20:
        return LOW[number]
    if number < 100:
        return TENS[number // 10] + (f"-{LOW[number % 10]}" if number % 10 else "")
    if number < 1000:
        rest = f" {cardinal(number % 100)}" if number % 100 else ""
        return f"{LOW[number // 100]} hundred{rest}"
    for size, name in SCALES:
        if number >= size:
            rest = f" {cardinal(number % size)}" if number % size else ""
            return f"{cardinal(number // size)} {name}{rest}"
    raise AssertionError(number)


def ordinal(number: int, feminine: bool = False) -> str:
    """A place in an order, such as twenty-fourth."""
    head, separator, last = _split_last(cardinal(number))
    if last in IRREGULAR:
        return head + separator + IRREGULAR[last]
    return head + separator + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def _split_last(words: str) -> tuple[str, str, str]:
    cut = max(words.rfind(" "), words.rfind("-"))
    return (words[:cut], words[cut], words[cut + 1 :]) if cut >= 0 else ("", "", words)


def year(number: int) -> str:
    """A year as it is said: nineteen ninety-five, two thousand five, twenty ten."""
    century, rest = divmod(number, 100)
    if 2000 <= number < 2010 or not 1100 <= number < 2100:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' + LOW[rest] if rest < 10 else cardinal(rest)}"


def decade(number: int) -> str:
    """A decade as it is said: nineteen nineties."""
    words = year(number)
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def decimals(digits: str) -> str:
    """Digits after the point, one by one."""
    return " ".join(LOW[int(digit)] for digit in digits)


def date(day: int, month: int, full_year: int) -> str:
    """A calendar date, month first."""
    return f"{MONTHS[month - 1]} {ordinal(day)}, {year(full_year)}"


def clock(hours: int, minutes: int) -> str:
    """A time of day."""
    if minutes == 0:
        return f"{cardinal(hours)} o'clock" if hours <= 12 else f"{cardinal(hours)} hundred hours"
    return f"{cardinal(hours)} {'oh ' + LOW[minutes] if minutes < 10 else cardinal(minutes)}"
