"""The next step for a provider that cannot be used as it is: one sentence, the same on the Overview and on its page."""

from __future__ import annotations

_KEY, _TEST, _TOGGLE = "K:provider.key", "t:provider.test", "x:provider.toggle"
_STEPS = {
    "invalid_key": (_KEY, "sets a new key"),
    "no_permission": (_KEY, "sets a key that may do this"),
    "unreachable": (_TEST, "tests again"),
    "error": (_TEST, "tests again"),
    "breaker_open": (_TEST, "tests again"),
    "no_credit": (_TEST, "tests again, once it is topped up at the vendor"),
    "locked": (_TEST, "asks for the passphrase"),
    "untested": (_TEST, "tests it"),
    "off": (_TOGGLE, "switches it on"),
}


def next_step(state: str, *, here: bool) -> str:
    """What to do; empty: nothing. `here`: for `with_keys` on its page; elsewhere the key goes by its usual name."""
    key, words = _STEPS.get(state, ("", ""))
    if not key:
        return ""
    return f"{{{key}}} {words}" if here else f"{key[0]} on its page {words}"
