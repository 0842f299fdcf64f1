"""DeepSeek's balance, in each currency apart: texts that are never added up (WIRE section 10)."""

from __future__ import annotations

from adapters.abilities import Figure
from adapters.account.caller import root
from adapters.account.one_call import OneCall
from adapters.account.read import Entry, entries, number, text, unexpected

_PARTS = (("total_balance", "balance"), ("granted_balance", "of it granted"), ("topped_up_balance", "of it topped up"))  # fmt: skip


class Reporter(OneCall):
    """The balance."""

    @staticmethod
    def address(base_url: str) -> str:
        return f"{root(base_url)}/user/balance"

    def figures(self, found: Entry) -> list[Figure]:
        if not isinstance(found.get("balance_infos"), list):
            raise unexpected(self._caller.origin.slug, "something that is no balance")
        figures = [
            Figure(name, "balance" if field == "total_balance" else "fact", number(one.get(field)), currency)
            for one in entries(found.get("balance_infos"))
            if (currency := text(one.get("currency"), 8).upper())
            for field, name in _PARTS
        ]
        if found.get("is_available") is False:
            figures.append(
                Figure("usable", "fact", None, unit="", text="no: the balance does not suffice for calls")
            )
        return figures
