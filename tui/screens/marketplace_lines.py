"""What the marketplace says of a vendor: a line in its table, and a page on the one under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.names import example
from catalog.plaintext import one_line
from tui.formatting import UNKNOWN, Tone, count, cut_middle, fit, rate, tokens, width
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet
from tui.widgets.pairs import Pair

if TYPE_CHECKING:
    from catalog.types import ModelInfo
    from services.marketplace import Span, Vendor


@dataclass(frozen=True, slots=True)
class VendorLine:
    """One line: a vendor, or (None) whatever else has an address."""

    vendor: Vendor | None

    @property
    def id(self) -> str:
        return self.vendor.spec.id if self.vendor else ""


OTHER = VendorLine(None)
"""The last line: a server that is in no list."""


def _amount(amount: Decimal) -> str:
    return rate(amount).removesuffix(".00")


def span_words(span: Span | None) -> str:
    """`$0.05–$15`, `free`, `free–$3`; a dash when no price is known."""
    if span is None:
        return UNKNOWN
    low, high = map(_amount, span)
    return low if low == high else f"{low}–{high}"


def price_words(vendor: Vendor) -> str:
    """The same in a sentence: `$0.05–$15 in, $0.08–$75 out`."""
    if vendor.cost == "own":
        return "own hardware"
    if vendor.cost == "unknown":
        return "unknown"
    return f"{span_words(vendor.input)} in, {span_words(vendor.output)} out"


def standing(vendor: Vendor | None) -> Cell:
    """Whether one has it, could have it at once, or not yet; glyph and word."""
    if vendor is None:
        return "○ any", ""
    if vendor.here:
        return (f"● {len(vendor.here)} here" if len(vendor.here) > 1 else "● here"), "ok"
    if vendor.obstacle:
        return "◌ not yet", "dim"
    return ("▸ found", "accent") if vendor.found else ("○ to add", "")


def key_words(vendor: Vendor | None) -> Cell:
    """Where its key is, or where to get one; for a vendor that cannot be connected, why not."""
    if vendor is None:
        return "paste its base URL", "dim"
    if vendor.later:
        return vendor.brief_obstacle, "dim"
    if vendor.found:
        return f"▸ found in {vendor.found[0]}", "accent"
    if vendor.spec.local:
        return "none: your own machine", "dim"
    return one_line(vendor.spec.key_url or "from the vendor").removeprefix("https://")


def _name(line: VendorLine) -> Cell:
    if line.vendor is None:
        return "Other: a base URL", "accent"
    return one_line(line.vendor.spec.name), "dim" if line.vendor.later else "strong"


def _models(line: VendorLine) -> Cell:
    found = line.vendor
    if found is None or not found.chat + found.embeddings:
        return "its own", "dim"
    return str(found.chat)


def _prices(line: VendorLine, side: str) -> Cell:
    found = line.vendor
    if found is None:
        return "", "dim"
    if found.cost == "own":
        return "own", "dim"
    words = span_words(getattr(found, side))
    return (words, "dim") if words == UNKNOWN or found.later else words


def _lowest(line: VendorLine, side: str) -> float | None:
    if line.vendor is None:
        return None
    if line.vendor.cost == "own":
        return 0.0
    span: Span | None = getattr(line.vendor, side)
    return None if span is None else float(span[0])


def _seeing(line: VendorLine) -> Cell:
    found = line.vendor
    if found is None:
        return "", "dim"
    if found.cost == "own":
        return ("own", "dim") if found.vision else (UNKNOWN, "dim")
    price = found.seeing.price if found.seeing else None
    words = rate(price.input) if price else UNKNOWN
    return (words, "dim") if words == UNKNOWN or found.later else words


def _least_seeing(line: VendorLine) -> float | None:
    found = line.vendor
    if found is None or not found.vision:
        return None
    if found.cost == "own":
        return 0.0
    price = found.seeing.price if found.seeing else None
    return None if price is None or price.input is None else float(price.input)


def _context(line: VendorLine) -> Cell:
    found = line.vendor
    return (UNKNOWN, "dim") if found is None or found.context is None else tokens(found.context)


def _size(line: VendorLine) -> int | None:
    return line.vendor.context if line.vendor else None


COLUMNS: tuple[Column[VendorLine], ...] = (
    Column("state", "state", lambda line: standing(line.vendor), width=9, max_width=10),
    Column("name", "vendor", _name, width=16, max_width=28, least=20, sort=lambda line: line.vendor.spec.name.casefold() if line.vendor else None),
    Column("chat", "models", _models, width=7, align="right", priority=3, down=True, sort=lambda line: line.vendor.chat if line.vendor else None),
    Column("input", "$in/1M", lambda line: _prices(line, "input"), width=7, max_width=13, align="right", priority=1, sort=lambda line: _lowest(line, "input")),
    Column("output", "$out/1M", lambda line: _prices(line, "output"), width=7, max_width=13, align="right", priority=2, sort=lambda line: _lowest(line, "output")),
    Column("context", "context", _context, width=7, align="right", priority=4, down=True, sort=_size),
    Column("seeing", "vision $in", _seeing, width=10, align="right", priority=3, sort=_least_seeing),
    Column("key", "a key", lambda line: key_words(line.vendor), width=24, max_width=34, least=24, flex=1, priority=1),
    Column("dialect", "speaks", lambda line: (line.vendor.spec.dialect if line.vendor else "", "dim"), width=8, max_width=12, priority=5),
)  # fmt: skip


def search_text(line: VendorLine) -> str:
    """What the filter looks in: the vendor and its models that are shown."""
    if line.vendor is None:
        return "other paste base url address"
    spec = line.vendor.spec
    names = " ".join(model.id for model in line.vendor.models)
    return one_line(f"{spec.id} {spec.name} {spec.endpoint} {' '.join(spec.env.key)} {names}", 2_000)


def _yes(value: bool) -> tuple[str, ...]:
    return ("yes",) if value else ("no",)


def _can(line: VendorLine) -> tuple[str, ...]:
    found = line.vendor
    if found is None:
        return ()
    kinds = ("chat", "embeddings", "tools", "vision", "reasoning")
    return tuple(kind for kind in kinds if getattr(found, kind))


FACETS: tuple[Facet[VendorLine], ...] = (
    Facet("dialect", words=lambda line: (line.vendor.spec.dialect,) if line.vendor else ()),
    Facet("found", words=lambda line: _yes(bool(line.vendor and line.vendor.found))),
    Facet("here", words=lambda line: _yes(bool(line.vendor and line.vendor.here))),
    Facet("ready", words=lambda line: _yes(line.vendor is None or not line.vendor.obstacle)),
    Facet("local", words=lambda line: _yes(bool(line.vendor and line.vendor.spec.local))),
    Facet("cap", words=_can),
    Facet("price", number=lambda line: _lowest(line, "input")),
    Facet("out", number=lambda line: _lowest(line, "output")),
    Facet("vision", number=_least_seeing),
    Facet("ctx", number=_size),
    Facet("models", number=lambda line: line.vendor.chat if line.vendor else None),
)
"""What vendors are narrowed by; a price is that of the cheapest chat model, `vision` of the cheapest that sees."""


def details(vendor: Vendor | None) -> list[Pair]:
    """The page on one vendor, what one asks first at its top."""
    if vendor is None:
        return [
            ("Other", "any server that speaks an API Switchroom knows", "strong"),
            ("address", "paste its base URL; who is behind it is found from the address", ""),
            ("prices", "typed in afterwards, taken from a model it serves, own hardware, or a flat rate", ""),
        ]
    spec = vendor.spec
    pairs: list[Pair] = [("vendor", one_line(spec.name), "strong")]
    if vendor.here:
        pairs.append(("here", f"● {', '.join(vendor.here)}", "ok"))
    if vendor.later:
        pairs.append(("not yet", vendor.later, "warn"))
    pairs += [("offers", _offers(vendor), ""), *_cost(vendor), ("a key", *_key(vendor))]
    pairs += _variables(vendor)
    pairs.append(("address", one_line(example(vendor.endpoint)), ""))
    if spec.docs_url:
        pairs.append(("about it", one_line(spec.docs_url), ""))
    if spec.note:
        pairs.append(("note", one_line(spec.note, 400), "dim"))
    pairs += _top(vendor)
    return pairs


def _offers(vendor: Vendor) -> str:
    if not vendor.chat and not vendor.embeddings:
        return "the models that are on your server"
    parts = [count(vendor.chat, "chat model")]
    parts += [f"{getattr(vendor, kind)} with {kind}" for kind in ("tools", "vision", "reasoning") if getattr(vendor, kind)]  # fmt: skip
    if vendor.embeddings:
        parts.append(count(vendor.embeddings, "embedding model"))
    if vendor.context:
        parts.append(f"context up to {tokens(vendor.context)}")
    return " · ".join(parts)


def _cost(vendor: Vendor) -> list[Pair]:
    words = price_words(vendor)
    if vendor.cost == "metered":
        words += " per 1M tokens"
        if vendor.priced < vendor.chat:
            words += f"; {vendor.chat - vendor.priced} without a known price"
    elif vendor.cost == "unknown":
        words = "not known; type them in, or mark it as flat rate"
    pairs: list[Pair] = [("prices", words, "dim" if vendor.cost == "unknown" else "")]
    if vendor.cost == "metered" and vendor.cheapest is not None:
        least = [_model(vendor.cheapest, vendor)] if vendor.seeing is not vendor.cheapest else []
        if vendor.seeing is not None:
            least.append((*_model(vendor.seeing, vendor)[:3], "with vision"))
        pairs += _beside("cheapest", least)
    return pairs


def _key(vendor: Vendor) -> tuple[str, Tone]:
    if vendor.spec.local:
        return "none needed", ""
    return one_line(vendor.spec.key_url or "from the vendor"), "accent" if vendor.spec.key_url else "dim"


def _variables(vendor: Vendor) -> list[Pair]:
    names = vendor.spec.env.key
    pairs: list[Pair] = []
    if vendor.found:
        pairs.append(("variables", f"▸ {', '.join(vendor.found)} is set here; its name is all that is stored", "accent"))  # fmt: skip
    if rest := [name for name in names if name not in vendor.found][:4]:
        pairs.append(("" if vendor.found else "variables", ", ".join(map(one_line, rest)), "dim"))
    return pairs


def _top(vendor: Vendor) -> list[Pair]:
    """A few models, each with what it costs and holds, one under the other."""
    return _beside("models", [_model(model, vendor) for model in vendor.models])


def _beside(name: str, lines: Sequence[tuple[str, str, str, str]]) -> list[Pair]:
    wide = [max(map(width, column)) for column in zip(*lines, strict=True)]
    aligns = ("left", "right", "right", "right")
    return [
        (name if place == 0 else "", "  ".join(map(fit, line, wide, aligns)).rstrip(), "")
        for place, line in enumerate(lines)
    ]


def _model(model: ModelInfo, vendor: Vendor) -> tuple[str, str, str, str]:
    price = model.price
    if vendor.cost != "own" and price is not None and price.known:
        cost = f"{rate(price.input)} in", f"{rate(price.output)} out"
    else:
        cost = "", "" if vendor.cost == "own" else "price unknown"
    size = f"{tokens(model.context_window)} context" if model.context_window else ""
    return cut_middle(one_line(model.id), 44), *cost, size


EXPORTED = (
    "vendor", "name", "dialect", "connectable", "why_not", "local", "chat_models", "embedding_models", "tools", "vision", "reasoning",
    "largest_context", "input_low", "input_high", "output_low", "output_high", "vision_input_low", "key_url", "docs_url", "variables_found", "providers",
)  # fmt: skip


def exported_row(line: VendorLine) -> Mapping[str, object]:
    """One vendor as `X` writes it."""
    found = line.vendor
    assert found is not None
    low, high = found.input or (None, None)
    out_low, out_high = found.output or (None, None)
    values = (
        found.spec.id, found.spec.name, found.spec.dialect, not found.obstacle, found.obstacle or None, found.spec.local, found.chat,
        found.embeddings, found.tools, found.vision, found.reasoning, found.context, low, high, out_low, out_high,
        found.seeing.price.input if found.seeing and found.seeing.price else None,
        found.spec.key_url, found.spec.docs_url, " ".join(found.found), " ".join(found.here),
    )  # fmt: skip
    return dict(zip(EXPORTED, values, strict=True))
