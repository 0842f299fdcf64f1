"""Hugging Face: whose token it is, whether it can pay, and when its period ends (WIRE sections 7, 10)."""

from __future__ import annotations

from urllib.parse import urlsplit

from adapters.abilities import Figure
from adapters.account.caller import root
from adapters.account.one_call import OneCall
from adapters.account.read import Entry, day, text, unix_ms

_HUB = "https://huggingface.co"


class Reporter(OneCall):
    """Whose token it is."""

    @staticmethod
    def address(base_url: str) -> str:
        host = urlsplit(base_url).hostname or ""
        hub = _HUB if f".{host}".endswith(".huggingface.co") else root(base_url)
        return f"{hub}/api/whoami-v2"

    def figures(self, found: Entry) -> list[Figure]:
        figures = []
        if name := text(found.get("name")):
            figures.append(Figure("account", "fact", None, unit="", text=name))
        if isinstance(found.get("canPay"), bool):
            words = "yes" if found["canPay"] else "no: only what is free"
            figures.append(Figure("can pay", "fact", None, unit="", text=words))
        if (end := unix_ms(found.get("periodEnd"))) is not None:
            figures.append(Figure("period ends", "fact", None, unit="", text=day(end)))
        return figures
