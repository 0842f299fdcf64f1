"""How many characters make a token, learned per model from what vendors reported."""

from __future__ import annotations

from dataclasses import dataclass

from store.db import Database, Tx


@dataclass(frozen=True, slots=True)
class Ratio:
    """What was learned about one model."""

    chars: int
    tokens: int
    """`chars / tokens` is the ratio."""
    n: int
    """Reports it was learned from."""
    rel_error: float
    """Running mean of |estimate − reported| / reported; the first report counts as exact."""


_HALVE_AT = 1_000_000
"""Beyond so many characters both sums are halved: the newer half of what was seen weighs more."""
_LEARN = f"""
INSERT INTO ratios (provider, model, chars, tokens, n, rel_error) VALUES (?1, ?2, ?3, ?4, 1, 0.0)
ON CONFLICT DO UPDATE SET
    rel_error = rel_error + (abs(?3 * 1.0 * tokens / chars - ?4) / ?4 - rel_error) / min(n + 1, 20),
    chars = (chars + ?3) / CASE WHEN chars + ?3 > {_HALVE_AT} THEN 2 ELSE 1 END,
    tokens = max((tokens + ?4) / CASE WHEN chars + ?3 > {_HALVE_AT} THEN 2 ELSE 1 END, 1),
    n = n + 1
"""  # noqa: S608 - a number of ours


class Ratios:
    """Reads and learns ratios."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, provider: str, model: str) -> Ratio | None:
        """What was learned; None before the first report."""
        rows = await self._db.reader.execute_fetchall(
            "SELECT chars, tokens, n, rel_error FROM ratios WHERE provider = ? AND model = ?",
            (provider, model),
        )
        return next((Ratio(*row) for row in rows), None)

    async def learn(self, tx: Tx, provider: str, model: str, chars: int, tokens: int) -> None:
        """Takes in one report; empty ones teach nothing."""
        if chars > 0 and tokens > 0:
            tx.later(_LEARN, (provider, model, chars, tokens))
