"""Groq: models that would write their reasoning into the answer are asked to keep it apart (WIRE section 9)."""

from __future__ import annotations

import re

from adapters.events import ChatRequest
from adapters.openai.vendors import Vendor

_THINKS = re.compile(r"qwen-?3|qwq|deepseek-r1|thinking|reasoning", re.IGNORECASE)
"""gpt-oss keeps it apart by itself and does not take the parameter; a model that refuses it is asked without."""


def amend(sent: dict[str, object], request: ChatRequest) -> None:
    if _THINKS.search(request.model):
        sent.setdefault("reasoning_format", "parsed")


VENDOR = Vendor(amend)
