"""What a filter line means: facets such as `provider:openai price<1 ctx>100k -cap:vision`, and words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Test = Callable[[Any], bool]
"""Whether a row's value (a tuple of words, or a number) is asked for."""

_TERM = re.compile(r"([-!]?)([a-z_]+)(<=|>=|:|=|<|>)(.*)", re.DOTALL)
_NUMBER = re.compile(r"\$?(\d+(?:\.(\d*))?|\.(\d+))([kmg]?)")
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_MOST_VALUES = 60
_MOST_WORDS = 50
"""More words than this are not looked for: a text that was pasted by mistake."""


@dataclass(frozen=True, slots=True)
class Facet(Generic[T]):
    """One property that rows can be narrowed by; it has words or a number, not both."""

    name: str
    words: Callable[[T], Iterable[str]] | None = None
    """`cap:vision` keeps the rows in which one of these begins with what is typed, case ignored."""
    number: Callable[[T], float | None] | None = None
    """`price<1`, `ctx>100k`: None is unknown and never matches."""

    @property
    def example(self) -> str:
        """How it is written: `provider:`, `price<`."""
        return f"{self.name}<" if self.number is not None else f"{self.name}:"

    @property
    def value(self) -> Callable[[T], Any]:
        """Reads out of a row what a test is asked about."""
        words = self.words
        if self.number is not None:
            return self.number
        return (lambda row: tuple(words(row))) if words is not None else (lambda _row: ())


@dataclass(frozen=True, slots=True)
class FacetTerm:
    """One facet of a filter."""

    facet: int
    """Its place among the table's facets."""
    test: Test


@dataclass(frozen=True, slots=True)
class Query:
    """A filter line, taken apart."""

    facets: tuple[FacetTerm, ...] = ()
    words: tuple[str, ...] = ()
    """All of them must be found."""
    without: tuple[str, ...] = ()
    """None of them may be found (`!word`)."""
    unfinished: str = ""
    """The last word, where it may become the name of a facet (`pri`)."""
    problem: str = ""
    """What in it cannot be meant, in words; empty when nothing is wrong."""


def parse(text: str, facets: Sequence[Facet[Any]]) -> Query:
    """The meaning of a filter line. A facet that is still being typed (`price<`) does not narrow yet."""
    names = [facet.name for facet in facets]
    terms: list[FacetTerm] = []
    words: list[str] = []
    without: list[str] = []
    problem = ""
    tokens = list(dict.fromkeys(text.casefold().split()))[:_MOST_WORDS]
    for token in tokens:
        found = _TERM.fullmatch(token)
        if found is None or not names:
            _word(token, words, without)
            continue
        sign, name, operator, value = found.groups()
        if name not in names:
            _word(token, words, without)  # ids have colons too: llama3:8b
            problem = problem or _no_facet(name, operator, names)
        elif value:
            place = names.index(name)
            test = _test(facets[place], operator, value)
            if isinstance(test, str):
                problem = problem or test
            else:
                terms.append(FacetTerm(place, _not(test) if sign else test))
    typed = text.casefold().split()[-1] if tokens and not text[-1].isspace() else ""
    last = typed.lstrip("-!")
    unfinished = typed if last and any(name.startswith(last) for name in names) else ""
    return Query(tuple(terms), tuple(words), tuple(without), unfinished, problem)


def _word(token: str, words: list[str], without: list[str]) -> None:
    if not token.startswith("!"):
        words.append(token)
    elif len(token) > 1:
        without.append(token[1:])


def _no_facet(name: str, operator: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    known = f"did you mean {close[0]}{operator} ?" if close else f"there are {', '.join(names)}"
    return f"There is no {name}{operator} here; {known}"


def _not(test: Test) -> Test:
    return lambda value: value is not None and not test(value)


def _test(facet: Facet[Any], operator: str, value: str) -> Test | str:
    """The test that a term asks for; what is wrong with it, in words, where it asks for none."""
    if facet.number is not None:
        return _number_test(facet.name, operator, value)
    if operator not in (":", "="):
        return f"{facet.name} is no number: write {facet.name}:{value}"
    wanted = tuple(_plain(part) for part in value.split(",") if part)
    if not wanted:
        return lambda _words: True
    if operator == "=":
        return lambda words: any(_plain(word) in wanted for word in words)
    return lambda words: any(_plain(word).startswith(wanted) for word in words)


def _plain(word: str) -> str:
    """`invalid key`, `invalid_key` and `Invalid-Key` are one."""
    return word.casefold().replace(" ", "-").replace("_", "-")


def _number_test(name: str, operator: str, text: str) -> Test | str:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return f"{name} is a number: write {name}<1 or {name}>100k"
    decimals = len(found[2] or found[3] or "")
    unit = _UNITS[found[4]]
    limit = float("0" + found[1] if found[1].startswith(".") else found[1]) * unit
    near = unit / 10**decimals / 2 if found[4] else 0.0
    """`ctx:128k` means what is shown as 128k."""
    match operator:
        case "<":
            return lambda value: value is not None and value < limit
        case ">":
            return lambda value: value is not None and value > limit
        case "<=":
            return lambda value: value is not None and value <= limit + near
        case ">=":
            return lambda value: value is not None and value >= limit - near
        case _:
            return lambda value: value is not None and abs(value - limit) <= near


def completions(text: str, facets: Sequence[Facet[Any]], values: Callable[[int], Sequence[str]]) -> list[str]:
    """What the last word of a filter line can become: names of facets, or values of the facet it names.

    `values` gives the words that stand in the rows under a facet, by its place.
    """
    last = "" if text.endswith(" ") else text.casefold().rpartition(" ")[2]
    sign = last[:1] if last[:1] in ("-", "!") else ""
    found = _TERM.fullmatch(last)
    if found is None:
        return [sign + facet.example for facet in facets if facet.name.startswith(last[len(sign) :])]
    _, name, operator, value = found.groups()
    place = next((place for place, facet in enumerate(facets) if facet.name == name), None)
    if place is None or facets[place].words is None:
        return []
    done, _, part = value.rpartition(",")
    head = f"{sign}{name}{operator}{done}{',' if done else ''}"
    fitting = sorted({word for word in map(_plain, values(place)) if word.startswith(_plain(part))})
    return [head + word for word in fitting[:_MOST_VALUES]]


def fuzzy(word: str) -> str:
    """A regular expression for the letters of a word in their order, within one word of the text."""
    first, rest = word[0], word[1:]
    return re.escape(first) + "".join(rf"[^{re.escape(c)}\s]*{re.escape(c)}" for c in rest)


def looseness(word: str, text: str, end: int) -> int:
    """How many cells of `text` the letters of `word` are spread over, the last of them just before `end`."""
    at = end
    for letter in reversed(word):
        at = text.rfind(letter, 0, at)
    return end - at
