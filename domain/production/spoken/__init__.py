"""How written tokens are read aloud: numbers, dates, times, money, units and signs, in English and Portuguese."""
