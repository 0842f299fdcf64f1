"""How hard a model is asked to think: an effort as this vendor's newer and older models take it (WIRE section 3)."""

from __future__ import annotations

import re
from typing import Literal

Mode = Literal["adaptive", "budget", "none"]
"""`adaptive`: the model decides, `output_config.effort` says how hard. `budget`: a number of tokens. `none`: it cannot."""

LEAST_BUDGET = 1_024
"""Tokens; the vendor refuses fewer."""
_BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768, "max": 49_152}
_OFF = frozenset({"none", "off", "disabled"})
_NAMED = re.compile(r"claude-(?!\d)[a-z]+(?:-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d))?", re.IGNORECASE)
_ADAPTIVE_FROM = (4, 6)


def mode_by_name(model: str) -> Mode:
    """What the name says: Claude 4.6 and later decide themselves, all others (and other vendors') take a budget.

    `claude-NAME` without a number is a new model; numbers before the name (`claude-3-7-sonnet`) are the old ones.
    """
    found = _NAMED.search(model)
    if found is None:
        return "budget"
    if found[1] is None:
        return "budget" if re.search(r"claude-(?:instant|v)", model, re.IGNORECASE) else "adaptive"
    return "adaptive" if (int(found[1]), int(found[2] or 0)) >= _ADAPTIVE_FROM else "budget"


def asked(
    effort: str | None, mode: Mode, max_tokens: int | None, *, forced_tool: bool
) -> tuple[dict[str, object] | None, str | None]:
    """(`thinking`, `output_config.effort`) for an effort; None for what is not sent.

    A model that must call a tool may not think. Thoughts are asked for as a summary, since some models else send
    nothing at all while they think. A budget is at most three quarters of the answer's limit; where less than the
    vendor's least is left, there is no thinking.
    """
    if effort is None or mode == "none":
        return None, None
    if effort.lower() in _OFF:
        return {"type": "disabled"}, None
    if mode == "adaptive":
        level = "low" if effort == "minimal" else effort
        return (None if forced_tool else {"type": "adaptive", "display": "summarized"}), level
    budget = _BUDGETS.get(effort, _BUDGETS["high"])
    if max_tokens is not None:
        budget = min(budget, max_tokens * 3 // 4)
    if forced_tool or budget < LEAST_BUDGET:
        return None, None
    return {"type": "enabled", "budget_tokens": budget}, None
