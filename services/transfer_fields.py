"""How one value of a foreign file is taken: with its type checked, and every field that nobody took reported."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from services.transfer_read import Document, safe, secretive
from services.transfer_types import Level, Remark

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.drafts import KeySource

_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))")
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,25})?)(ms|us|µs|ns|h|m|s|d)")
_SECONDS = {
    "d": Decimal(86_400), "h": Decimal(3600), "m": Decimal(60), "s": Decimal(1),
    "ms": Decimal("1e-3"), "us": Decimal("1e-6"), "µs": Decimal("1e-6"), "ns": Decimal("1e-9"),
}  # fmt: skip
_MOST_REMARKS = 200
LONGEST_TEXT = 2000


def seconds(text: str) -> float | None:
    """`30s`, `1m30s`, `500ms`, `1.5h` in seconds; None when it is no duration."""
    text = text.strip().lower()
    total, end = Decimal(0), 0
    for part in _PART.finditer(text):
        if part.start() != end:
            return None
        total += Decimal(part.group(1)) * _SECONDS[part.group(2)]
        end = part.end()
    return float(total) if end and end == len(text) else None


def duration(value: float) -> str:
    """Seconds as a duration that `seconds` reads back exactly: `30s`, `1500ms`."""
    exact = Decimal(repr(float(value)))
    if exact == exact.to_integral_value():
        return f"{int(exact)}s"
    if (thousand := exact * 1000) == thousand.to_integral_value():
        return f"{int(thousand)}ms"
    return f"{exact:f}s"


@dataclass(frozen=True, slots=True)
class Reference:
    """`${NAME}` or `${NAME:-default}`."""

    name: str
    default: str | None


def reference(text: str) -> Reference | None:
    """The variable that a whole text refers to; None: it is no reference."""
    match = _REFERENCE.fullmatch(text.strip())
    return Reference(match.group(1) or match.group(3), match.group(2)) if match else None


class Fields:
    """One object or table of a file. What was not asked for is reported at the end by `rest`."""

    def __init__(
        self,
        document: Document,
        data: Mapping[str, Any],
        path: Sequence[str | int],
        remarks: list[Remark],
        *,
        expands: bool = True,
    ) -> None:
        self._document, self._data, self.path, self.remarks = document, data, tuple(path), remarks
        self._expands = expands
        self._taken: set[str] = set()

    @property
    def line(self) -> int | None:
        """Where this object stands."""
        return self._document.line(self.path) if len(self.remarks) < _MOST_REMARKS else None

    @property
    def own_name(self) -> str:
        """What the file calls this object."""
        return str(self.path[-1]) if self.path else ""

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def remark(self, level: Level, message: str, *names: str | int) -> None:
        """Report something about a field of this object, or about the object."""
        if len(self.remarks) == _MOST_REMARKS:
            message, names = "There is more like this, which is not listed.", ()
        if len(self.remarks) > _MOST_REMARKS:
            return
        line = self._document.line((*self.path, *names)) if len(self.remarks) < _MOST_REMARKS else None
        self.remarks.append(Remark(level, message, self._document.file, line))

    def wrong(self, name: str, what: str) -> None:
        """Report that a field's value does not fit; the value is not shown."""
        self.remark("left out", f"{self._label(name)}: it takes {what}.", name)

    def raw(self, *names: str) -> Any:
        """The value under the first of these names that is there; all of them count as taken."""
        self._taken.update(names)
        return next((self._data[name] for name in names if self._data.get(name) is not None), None)

    def text(self, *names: str) -> str | None:
        """A text, with `${NAME}` read from the environment now where the format means that."""
        value, name = self.raw(*names), self._present(names)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
            self.wrong(name, "a text")
            return None
        return self._expanded(name, value.strip()) or None

    def flag(self, *names: str) -> bool | None:
        """True or false."""
        value = self.raw(*names)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(self._present(names), "true or false")
        return None

    def whole(self, *names: str, low: int = 0, high: int = 10**9) -> int | None:
        """A whole number in a range."""
        value = self.raw(*names)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(self._present(names), f"a whole number from {low} to {high}")
            return None
        return value

    def number(self, *names: str) -> float | None:
        """A number from 0 up."""
        value = self.raw(*names)
        if value is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 <= value < 1e15
            or not math.isfinite(value)
        ):
            self.wrong(self._present(names), "a number from 0 up")
            return None
        return float(value)

    def money(self, *names: str) -> Decimal | None:
        """An amount of USD, a number or a text; exact as it is written in a text."""
        value = self.raw(*names)
        if value is None:
            return None
        try:
            amount = (
                Decimal(str(value))
                if isinstance(value, int | float | str) and not isinstance(value, bool)
                else None
            )
        except InvalidOperation:
            amount = None
        if amount is None or not amount.is_finite() or not 0 <= amount < 10**12 or len(str(value)) > 40:
            self.wrong(self._present(names), "an amount of USD from 0 up")
            return None
        return amount

    def span(self, *names: str, milliseconds: bool = False) -> float | None:
        """A duration in seconds: `30s`, or a plain number of seconds (or milliseconds)."""
        value, name = self.raw(*names), self._present(names)
        if value is None:
            return None
        found: float | None = None
        if isinstance(value, str):
            found = seconds(value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
            found = float(value)
            if milliseconds and value >= 1000:
                found = value / 1000
            elif milliseconds and value:
                self.remark(
                    "note",
                    f"{self._label(name)} {value:g} is read as seconds: as milliseconds it would be too short.",
                    name,
                )
        if found is None or not math.isfinite(found):
            self.wrong(name, "a duration such as 30s, 1m30s or 500ms")
            return None
        return found

    def texts(self, *names: str) -> dict[str, str]:
        """A table of texts; numbers and flags in it become texts."""
        table = self.table(*names)
        found: dict[str, str] = {}
        for name in table.names() if table else ():
            value = table.raw(name) if table else None
            if isinstance(value, bool):
                value = str(value).lower()
            if isinstance(value, str | int | float) and len(str(value)) <= LONGEST_TEXT:
                found[name] = str(value)
            elif table is not None:
                table.wrong(name, "a text")
        return found

    def table(self, *names: str) -> Fields | None:
        """An object inside this one."""
        value = self.raw(*names)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(self._present(names), "a table")
            return None
        return self._inside(value, self._present(names))

    def tables(self, *names: str) -> Iterator[Fields]:
        """The objects of a list inside this one."""
        value, name = self.raw(*names), self._present(names)
        if value is not None and not isinstance(value, list):
            self.wrong(name, "a list of tables")
            return
        for place, item in enumerate(value or ()):
            if isinstance(item, dict):
                yield self._inside(item, name, place)
            else:
                self.wrong(name, "a list of tables")

    def names(self) -> list[str]:
        """Every name in this object."""
        return list(self._data)

    def key(self, *names: str) -> KeySource:
        """A key: `${NAME}` stays a reference; a literal one is kept out of every text from here on."""
        from services.drafts import EnvKey

        value, name = self.raw(*names), self._present(names)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.wrong(name, "a text")
            return None
        found = reference(value)
        if found is not None:
            if found.default:
                secret(found.default)
                self.remark(
                    "left out",
                    f"{self._label(name)}: the default after {found.name} is not kept; the variable is the key.",
                    name,
                )
            return EnvKey(found.name)
        if "${" in value:
            secret(value)
            self.wrong(name, "one whole reference such as ${OPENAI_API_KEY}, or a key")
            return None
        return secret(value.strip())

    def rest(self, why: str = "is not known here") -> None:
        """Report what nobody asked for."""
        for name in self._data:
            if name not in self._taken:
                self.remark("left out", f"{self._label(name)} {why}.", name)

    def _inside(self, data: Mapping[str, Any], *names: str | int) -> Fields:
        return Fields(self._document, data, (*self.path, *names), self.remarks, expands=self._expands)

    def _present(self, names: Sequence[str]) -> str:
        return next((name for name in names if self._data.get(name) is not None), names[0])

    def _label(self, name: str) -> str:
        around = [str(step) for step in self.path if isinstance(step, str)]
        return safe(".".join([*around[-2:], name]), 80)

    def _expanded(self, name: str, value: str) -> str | None:
        if "${" not in value or not self._expands:
            return value
        missing: list[str] = []

        def filled(match: re.Match[str]) -> str:
            variable = match.group(1) or match.group(3)
            found = os.environ.get(variable) or match.group(2)
            if found is None:
                missing.append(f"the variable {variable} is not set")
            elif secretive(found, variable):
                missing.append(f"{variable} may hold a secret, and that is for keys and headers only")
            return found or ""

        text = _REFERENCE.sub(filled, value)
        if missing:
            self.remark("left out", f"{self._label(name)}: {missing[0]}.", name)
            return None
        self.remark("note", f"{self._label(name)} is read from the environment now and stays as it is.", name)
        return text


def secret(text: str) -> SecretStr:
    """A literal secret of a file: masked in every log and message from now on."""
    from pydantic import SecretStr

    from catalog.redact import remember_secret

    remember_secret(text)
    return SecretStr(text)
