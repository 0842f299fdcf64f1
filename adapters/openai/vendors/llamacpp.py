"""llama.cpp: `/health` says whether a model can be asked, also where the list of models is there (WIRE section 9)."""

from __future__ import annotations

from adapters.openai.vendors import Vendor

VENDOR = Vendor(health="/health")
