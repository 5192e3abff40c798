"""What signs, units, currencies and abbreviations are called, by primary language."""

from __future__ import annotations

UNITS: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        "km": ("kilometer", "kilometers"), "m": ("meter", "meters"), "cm": ("centimeter", "centimeters"),
        "mm": ("millimeter", "millimeters"), "nm": ("nanometer", "nanometers"), "kg": ("kilogram", "kilograms"),
        "g": ("gram", "grams"), "t": ("tonne", "tonnes"), "s": ("second", "seconds"),
        "ms": ("millisecond", "milliseconds"),
        "h": ("hour", "hours"), "min": ("minute", "minutes"), "°c": ("degree Celsius", "degrees Celsius"),
        "°f": ("degree Fahrenheit", "degrees Fahrenheit"), "°": ("degree", "degrees"), "k": ("kelvin", "kelvin"),
        "%": ("percent", "percent"), "km/h": ("kilometer per hour", "kilometers per hour"),
        "km/s": ("kilometer per second", "kilometers per second"), "m/s": ("meter per second", "meters per second"),
        "km²": ("square kilometer", "square kilometers"), "m²": ("square meter", "square meters"),
        "m³": ("cubic meter", "cubic meters"), "au": ("astronomical unit", "astronomical units"),
        "ly": ("light-year", "light-years"), "kw": ("kilowatt", "kilowatts"), "w": ("watt", "watts"),
        "kwh": ("kilowatt hour", "kilowatt hours"), "gb": ("gigabyte", "gigabytes"), "mb": ("megabyte", "megabytes"),
        "tb": ("terabyte", "terabytes"), "hz": ("hertz", "hertz"), "ghz": ("gigahertz", "gigahertz"),
        "mph": ("mile per hour", "miles per hour"), "ft": ("foot", "feet"), "l": ("liter", "liters"),
        "bn": ("billion", "billion"),
    },
    "pt": {
        "km": ("quilômetro", "quilômetros"), "m": ("metro", "metros"), "cm": ("centímetro", "centímetros"),
        "mm": ("milímetro", "milímetros"), "nm": ("nanômetro", "nanômetros"), "kg": ("quilo", "quilos"),
        "g": ("grama", "gramas"), "t": ("tonelada", "toneladas"), "s": ("segundo", "segundos"),
        "ms": ("milissegundo", "milissegundos"), "h": ("hora", "horas"), "min": ("minuto", "minutos"),
        "°c": ("grau Celsius", "graus Celsius"), "°f": ("grau Fahrenheit", "graus Fahrenheit"), "°": ("grau", "graus"),
        "k": ("kelvin", "kelvins"), "%": ("por cento", "por cento"),
        "km/h": ("quilômetro por hora", "quilômetros por hora"),
        "km/s": ("quilômetro por segundo", "quilômetros por segundo"),
        "m/s": ("metro por segundo", "metros por segundo"), "km²": ("quilômetro quadrado", "quilômetros quadrados"),
        "m²": ("metro quadrado", "metros quadrados"), "m³": ("metro cúbico", "metros cúbicos"),
        "ua": ("unidade astronômica", "unidades astronômicas"), "kw": ("quilowatt", "quilowatts"),
        "w": ("watt", "watts"),
        "kwh": ("quilowatt-hora", "quilowatts-hora"), "gb": ("gigabyte", "gigabytes"), "mb": ("megabyte", "megabytes"),
        "tb": ("terabyte", "terabytes"), "hz": ("hertz", "hertz"), "ghz": ("giga-hertz", "giga-hertz"),
        "l": ("litro", "litros"), "bi": ("bilhão", "bilhões"), "mi": ("milhão", "milhões"),
    },
}  # fmt: skip

CURRENCIES: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "en": {
        "$": ("dollar", "dollars", "cent", "cents"), "US$": ("dollar", "dollars", "cent", "cents"),
        "R$": ("real", "reais", "centavo", "centavos"), "€": ("euro", "euros", "cent", "cents"),
        "£": ("pound", "pounds", "penny", "pence"),
    },
    "pt": {
        "$": ("dólar", "dólares", "centavo", "centavos"), "US$": ("dólar", "dólares", "centavo", "centavos"),
        "R$": ("real", "reais", "centavo", "centavos"), "€": ("euro", "euros", "centavo", "centavos"),
        "£": ("libra", "libras", "centavo", "centavos"),
    },
}  # fmt: skip

MAGNITUDES = {
    "en": ("thousand", "million", "billion", "trillion"),
    "pt": ("mil", "milhão", "milhões", "bilhão", "bilhões", "trilhão", "trilhões"),
}

ABBREVIATIONS = {
    "en": {
        "dr.": "doctor", "mr.": "mister", "mrs.": "missus", "vs.": "versus", "e.g.": "for example", "i.e.": "that is",
        "approx.": "approximately", "etc.": "et cetera", "st.": "saint", "u.s.": "U S", "no.": "number",
    },
    "pt": {
        "dr.": "doutor", "dra.": "doutora", "sr.": "senhor", "sra.": "senhora", "prof.": "professor",
        "séc.": "século", "etc.": "etcétera", "aprox.": "aproximadamente", "p.ex.": "por exemplo", "av.": "avenida",
        "nº": "número", "n.º": "número",
    },
}  # fmt: skip

SIGNS = {
    "en": {"&": "and", "+": "plus", "=": "equals", "×": "times", "~": "about", "≈": "about", "<": "less than",
           ">": "more than", "→": "to", "@": "at", "#": "number"},
    "pt": {"&": "e", "+": "mais", "=": "igual a", "×": "vezes", "~": "cerca de", "≈": "cerca de", "<": "menos de",
           ">": "mais de", "→": "para", "@": "arroba", "#": "número"},
}  # fmt: skip

WORDS = {
    "en": {"minus": "minus", "point": "point", "and": "and", "to": "to", "of": "", "power": "to the power of",
           "half": "one half", "over": "over"},
    "pt": {"minus": "menos", "point": "vírgula", "and": "e", "to": "a", "of": "de", "power": "elevado a",
           "half": "meio", "over": "sobre"},
}  # fmt: skip

MASCULINE_IN_A = frozenset(
    ("dia", "dias", "planeta", "planetas", "cometa", "cometas", "sistema", "sistemas", "mapa", "mapas", "problema",
     "problemas", "grama", "gramas", "programa", "programas", "quilograma", "quilogramas", "mecanismo")
)  # fmt: skip
