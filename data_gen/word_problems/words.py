"""Words of the stories: names, pronouns, plurals, articles, and numbers as they are said."""

from fractions import Fraction

from mathjax import expression

SHE = (
    "Ada Aisha Alice Amara Anna Beatriz Bella Carmen Chloe Clara Dana Elena Emma Fatima Freya Grace Hana Ines Iris "
    "Jade Julia Kavya Keiko Leah Lucia Maya Mei Nadia Nina Nora Olga Olivia Priya Rosa Ruth Sara Sofia Tara Yuki"
).split()
HE = (
    "Adam Ahmed Alan Andre Anil Ben Boris Caleb Carlos Daniel David Diego Elias Emil Felix Finn George Hassan Henry "
    "Ivan Jamal James Jonas Kenji Kofi Leo Liam Lucas Marco Mateo Milan Nikhil Noah Omar Oscar Pablo Ravi Samuel "
    "Viktor"
).split()
PRONOUNS = {  # form: (of SHE, of HE)
    "she": ("she", "he"),
    "She": ("She", "He"),
    "her": ("her", "his"),  # before a noun
    "Her": ("Her", "His"),
    "him": ("her", "him"),
}
PLURALS = {"child": "children", "person": "people", "foot": "feet", "loaf": "loaves", "shelf": "shelves"}
PARTS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 6: "a sixth", 8: "an eighth", 10: "a tenth"}
MONEY, PERCENT, PART, TIMES = "$", "%", "part", "times"


def plural(noun: str) -> str:
    """More than one of a noun: of `pack of cards`, packs."""
    head, of, rest = noun.partition(" of ")
    before, space, last = head.rpartition(" ")
    if last in PLURALS:
        last = PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")) or last in ("tomato", "potato"):
        last += "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return before + space + last + of + rest


def article(noun: str) -> str:
    """A noun with `a` or `an` before it."""
    sounds_open = (
        noun[0] in "aeiou" and not noun.startswith(("uni", "use", "usu", "eu", "one")) or noun.startswith("hour")
    )
    return f"{'an' if sounds_open else 'a'} {noun}"


def said(number: Fraction, how: str) -> str:
    """A number as a story says it: `$`, `%`, `part` (of a whole that it divides), `times`, "" alone, or a noun."""
    if how == MONEY:
        return f"${expression.decimal(number) if number.denominator == 1 else f'{float(number):.2f}'}"
    if how == PERCENT:
        return f"{expression.decimal(number)}%"
    if how == PART:
        return PARTS[int(number)]
    if how == TIMES:
        return "twice" if number == 2 else f"{expression.decimal(number)} times"
    if not how:
        return expression.decimal(number)
    return f"{expression.decimal(number)} {how if number == 1 else plural(how)}"
