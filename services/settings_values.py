"""Whether a given value fits a setting, and what it becomes; a refusal says what would fit and never the value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from types import NoneType
from typing import Any, Literal, get_args, get_origin

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


class UnfitError(Exception):
    """The value does not fit; the text says what would."""


def fitted(kind: Any, limits: Mapping[str, Any], value: object) -> Any:
    """The value as the setting's type, from TOML or from the text of a variable. Raises UnfitError."""
    kinds = (
        [kind]
        if get_origin(kind) is Literal
        else [one for one in get_args(kind) or (kind,) if one is not NoneType]
    )
    optional = NoneType in get_args(kind)
    if isinstance(value, str):
        value = value.strip()
        if optional and value.lower() in ("", "none"):
            return None
    kind = kinds[0]
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), value)
    if kind is bool:
        return _switch(value)
    if kind is str:
        if not isinstance(value, str) or not value:
            raise UnfitError("it takes text")
        return value
    return _number(kind, limits, value)


def fitted_keys(value: object) -> str:
    """The keys of an action: a text, or a list of them. Raises UnfitError."""
    keys = value if isinstance(value, list) else [value]
    texts = [key for key in keys if isinstance(key, str)]
    if len(texts) < len(keys):
        raise UnfitError('it takes a key such as "A" or "ctrl+b", several with commas, or "" for none')
    return ",".join(texts)


def _choice(choices: tuple[Any, ...], value: object) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if {"on", "off"} <= set(choices) and text not in choices:
        with suppress(UnfitError):
            text = "on" if _switch(value) else "off"
    if text not in choices:
        raise UnfitError(f"it takes {', '.join(choices[:-1])} or {choices[-1]}")
    return text


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, str | int) else ""
    if text not in (*_TRUE, *_FALSE):
        raise UnfitError("it takes true or false")
    return text in _TRUE


def _number(kind: type[int | float], limits: Mapping[str, Any], value: object) -> int | float:
    what = "a whole number" if kind is int else "a number"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnfitError(f"it takes {what}")
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        raise UnfitError(f"it takes {what}") from None
    if not math.isfinite(number) or (kind is int and isinstance(value, float)):
        raise UnfitError(f"it takes {what}")
    low, high, above = limits["low"], limits["high"], limits["above"]
    if above is not None and number <= above:
        raise UnfitError(f"it takes {what} above {above:g}")
    if low is not None and number < low:
        raise UnfitError(f"it takes {what} from {low:g} up")
    if high is not None and number > high:
        raise UnfitError(f"it takes {what} up to {high:g}")
    return number
