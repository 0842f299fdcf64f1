"""A store with models of every kind and a past, for the tests of the Models mode."""

from __future__ import annotations

from tui_stage import NOW, _row

from services.container import Services
from services.feed import ModelsChanged
from store.ledger import AttemptRow
from store.models import ModelRow

SEEN = NOW - 12 * 60_000
LONG = "accounts/a-team-with-a-long-name/models/qwen3.5-235b-a22b-instruct-very-long-2507-fp8"


def _model(
    provider: str, ident: str, price: tuple[str, str] | None, context: int | None, *able: str, **more: object
) -> ModelRow:
    text = None if price is None else f'{{"input":"{price[0]}","output":"{price[1]}"}}'
    values: dict[str, object] = {
        "price_json": text, "context_window": context, "capabilities": able or None, "max_output": 16_384,
        "first_seen": SEEN, "last_seen": SEEN, "chat": True,
    }  # fmt: skip
    return ModelRow(provider, ident, **{**values, **more})  # type: ignore[arg-type]


MODELS = [
    _model("alpha", "sonnet-9", ("3", "15"), 200_000, "tools", "vision", "reasoning", "json"),
    _model("alpha", "opus-9", ("15", "75"), 1_000_000, "tools", "vision", "reasoning", name="Opus 9"),
    _model("alpha", "haiku-9", ("0.8", "4"), 200_000, "tools"),
    _model("alpha", "old-2", ("8", "24"), 100_000, "tools", available=False),
    _model("beta", "mini", ("0.15", "0.6"), 128_000, "tools", "json"),
    _model("beta", "embed-3", ("0.02", "0"), 8_192, "embeddings", chat=False),
    _model("beta", "日本語モデル-7b", None, 32_768),
    _model("beta", LONG, ("0.22", "0.88"), 262_144, "tools", enabled=False),
    _model("home", "llama3:8b", None, 131_072, "tools"),
    _model("quiet", "sleeper", ("1", "2"), 64_000, "tools"),
]


async def stock(services: Services) -> None:
    """Four providers, ten models, a month of runs."""
    from store.ledger import Ledger
    from store.models import Models
    from store.providers import Providers

    rows = [
        _row("alpha", "ok", catalog_id=None),
        _row("beta", "ok", catalog_id=None, created_at=NOW + 1),
        _row("home", "ok", catalog_id=None, endpoint="http://127.0.0.1:9/v1", created_at=NOW + 2),
        _row("quiet", "off", catalog_id=None, created_at=NOW + 3),
    ]
    async with services.db.transaction() as tx:
        for row in rows:
            await Providers(services.db).insert(tx, row)
            mine = [model for model in MODELS if model.provider == row.slug]
            await Models(services.db).replace_live(tx, row.slug, [m for m in mine if m.available])
            await Models(services.db).ensure(tx, row.slug, [], SEEN)
        tx.later(
            "INSERT INTO models (provider, id, price_json, context_window, enabled, available, first_seen, last_seen, chat)"
            ' VALUES (\'alpha\', \'old-2\', \'{"input":"8","output":"24"}\', 100000, 1, 0, 1, 1, 1)'
        )
        for number in range(40):
            model, ttft, output = (("opus-9", 1_200, 400), ("mini", 300, 600))[number % 2]
            await Ledger(services.db).insert(
                tx,
                AttemptRow(
                    None, f"run-{number}", 1, True, NOW - (60 - number) * 3_600_000, ("alpha", "beta")[number % 2], model,
                    "complete" if number else "failed", input=1_000, output=output, cost_nanos=20_000_000 if number % 2 == 0 else 400_000,
                    grade="computed", ttft_ms=ttft, duration_ms=ttft + 8_000,
                ),
            )  # fmt: skip
    services.feed.publish(ModelsChanged(None))
