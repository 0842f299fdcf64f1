"""The example in docs/catalog.md is a file that loads as it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from catalog.pricing import cost
from catalog.usage import Usage
from catalog.user import load_user

PAGE = Path(__file__).parents[2] / "docs" / "catalog.md"


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "acme.json").write_text(example)
    found = load_user(tmp_path)
    assert found.problems == ()
    acme = found.providers["acme"]
    assert (acme.dialect, acme.env.key, acme.default_model) == ("openai", ("ACME_API_KEY",), "acme-large")
    price = found.models["acme"]["acme-large"].price
    assert price is not None
    million = Usage(input=100_000, output=0)
    noon, night = (datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (12, 23))
    assert cost(price, million, noon) == Decimal("0.25")
    assert cost(price, million, night) == Decimal("0.125")
    assert cost(price, Usage(input=300_000, output=0), noon) == Decimal("1.5")
    assert cost(price, million, datetime(2027, 1, 1, 12, tzinfo=UTC)) == Decimal("0.2")
