"""A LiteLLM gateway: what this key spent by the gateway's price list, and its limits (WIRE section 10)."""

from __future__ import annotations

from adapters.abilities import Figure
from adapters.account.caller import beside
from adapters.account.one_call import OneCall
from adapters.account.read import Entry, dollars, inner, number, text


class Reporter(OneCall):
    """What the gateway knows of the key."""

    @staticmethod
    def address(base_url: str) -> str:
        return f"{beside(base_url)}/key/info"

    def figures(self, found: Entry) -> list[Figure]:
        info = inner(found, "info")
        limit = dollars(info.get("max_budget"))
        figures = [Figure("spent with this key", "spent", dollars(info.get("spend")))]
        if limit is not None:
            figures.append(
                Figure("limit of this key", "limit", limit, per=text(info.get("budget_duration"), 20))
            )
        elif "max_budget" in info:
            figures.append(Figure("limit of this key", "limit", None, text="none"))
        for field, unit in (("rpm_limit", "requests/min"), ("tpm_limit", "tokens/min")):
            if (rate := number(info.get(field))) is not None:
                figures.append(Figure("this key", "rate", rate, unit))
        for field, name in (("budget_reset_at", "limit starts anew"), ("expires", "this key ends")):
            if when := text(info.get(field), 40):
                figures.append(Figure(name, "fact", None, unit="", text=when))
        return figures
