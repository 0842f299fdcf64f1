"""What the table of installed models says of one of them, and of a download on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from catalog.sizes import size_words
from tui.formatting import UNKNOWN, Tone, age, bar, time_left, tokens, whole
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from services.pulls import Pull, PullState
    from services.shelves import LocalModel


@dataclass(frozen=True, slots=True)
class PullLine:
    """A download as it stood when it was drawn."""

    provider: str
    model: str
    state: PullState
    status: str
    completed: int | None
    total: int | None
    share: float | None
    rate: float | None
    left_s: float | None
    problem: str

    @classmethod
    def of(cls, pull: Pull) -> PullLine:
        return cls(
            pull.provider, pull.model, pull.state, pull.status, pull.completed, pull.total, pull.share, pull.rate,
            pull.left_s, pull.error.message if pull.error is not None else "",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a model that is there, or one that is coming."""

    model: LocalModel | None
    pull: PullLine | None
    now: int
    """UTC ms, to the minute: ages and times left are told from it."""

    @property
    def provider(self) -> str:
        return self.model.provider if self.model else self.pull.provider if self.pull else ""

    @property
    def id(self) -> str:
        return self.model.id if self.model else self.pull.model if self.pull else ""

    @property
    def key(self) -> str:
        return f"{'pull ' if self.pull else ''}{self.provider}/{self.id}"


def _name(line: Line) -> Cell:
    return one_line(line.id, 200)


def _state(line: Line) -> Cell:
    if line.pull is not None:
        return _pull_state(line.pull)
    model = line.model
    if model is None:
        return UNKNOWN
    if model.state != "ready":
        return f"◑ {model.state}", "warn"
    if model.loaded:
        return "● loaded", "ok"
    if "runs_at" in model.details:
        return "☁ cloud", ""
    return "○ on disk", "" if model.loaded is not None else "dim"


def _pull_state(pull: PullLine) -> Cell:
    if pull.state == "reconnecting":
        return "↻ broken off", "warn"
    if pull.share is None:
        return "↓ asking", "accent"
    if pull.share >= 1:
        return "↓ checking", "accent"
    return f"↓ {int(pull.share * 100)} %", "accent"


def _size(line: Line) -> Cell:
    if line.pull is not None:
        return size_words(line.pull.total)
    model = line.model
    return UNKNOWN if model is None or model.size_bytes is None else size_words(model.size_bytes)


def _detail(name: str) -> object:
    def cell(line: Line) -> Cell:
        return one_line(str(line.model.details.get(name, UNKNOWN)), 40) if line.model else ""

    return cell


def _memory(line: Line) -> Cell:
    running = line.model.running if line.model else None
    return size_words(running.size_bytes) if running else ""


def _gpu(line: Line) -> Cell:
    running = line.model.running if line.model else None
    return "" if running is None else on_gpu(running.vram_bytes, running.size_bytes)


def on_gpu(vram: int | None, size: int | None) -> str:
    """How much of a loaded model is on the graphics card."""
    return UNKNOWN if vram is None or not size else f"{vram / size * 100:.0f} %"


def _context(line: Line) -> Cell:
    running = line.model.running if line.model else None
    return "" if running is None else tokens(running.context)


def _unloads(line: Line) -> Cell:
    running = line.model.running if line.model else None
    if running is None:
        return ""
    if running.stays:
        return "never"
    if running.expires_at is None:
        return UNKNOWN
    return f"in {age(line.now, running.expires_at)}" if running.expires_at > line.now else "now"


def _changed(line: Line) -> Cell:
    return (age(line.model.modified_at, line.now), "dim") if line.model else ""


def columns() -> tuple[Column[Line], ...]:
    return (
        Column("model", "model", _name, width=20, max_width=44, least=14, cut="middle", sort=lambda n: n.id),
        Column("provider", "provider", lambda n: (n.provider, "dim"), width=8, max_width=16, priority=3, sort=lambda n: n.provider),
        Column("state", "state", _state, width=12, sort=lambda n: str(_state(n))),
        Column("size", "size", _size, width=8, align="right", sort=lambda n: n.model.size_bytes if n.model else None, down=True),
        Column("parameters", "params", _detail("parameters"), width=7, align="right", priority=5),  # type: ignore[arg-type]
        Column("quantization", "quant", _detail("quantization"), width=6, max_width=8, priority=2),  # type: ignore[arg-type]
        Column("memory", "memory", _memory, width=8, align="right", priority=1),
        Column("gpu", "on GPU", _gpu, width=6, align="right", priority=4),
        Column("context", "context", _context, width=7, align="right", priority=6),
        Column("unloads", "unloads", _unloads, width=7, align="right", priority=7),
        Column("changed", "changed", _changed, width=7, align="right", priority=8, sort=lambda n: n.model.modified_at if n.model else None, down=True),
    )  # fmt: skip


def search_text(line: Line) -> str:
    details = " ".join(map(str, line.model.details.values())) if line.model else "pulling"
    return f"{line.provider}/{line.id} {details} {'loaded' if line.model and line.model.loaded else ''}"


def counted(lines: Sequence[Line]) -> str:
    """What stands above the table."""
    from services.shelves import size_of

    models = [line.model for line in lines if line.model is not None]
    if not models:
        return ""
    loaded = [model.running for model in models if model.running is not None]
    parts = [f"{whole(len(models))} installed, {size_words(size_of(models))}"]
    if loaded:
        parts.append(
            f"{whole(len(loaded))} loaded, {size_words(sum(r.size_bytes or 0 for r in loaded))} of memory"
        )
    return " · ".join(parts)


def pull_words(pull: PullLine, cells: int = 16) -> str:
    """`▓▓▓░░ 412 MB of 2.0 GB · 48 MB/s · 33 s left`."""
    if pull.state == "reconnecting":
        return "the connection broke; it is tried again"
    if pull.share is None:
        return one_line(pull.status, 40) or "asking"
    parts = [f"{bar(pull.share, cells)} {size_words(pull.completed)} of {size_words(pull.total)}"]
    if pull.share >= 1:
        parts.append(one_line(pull.status, 40))
    if pull.rate is not None:
        parts.append(f"{size_words(pull.rate)}/s")
    if pull.left_s is not None:
        parts.append(f"{time_left(pull.left_s)} left")
    return " · ".join(parts)


def _context_words(loaded: int | None, window: int | None) -> str:
    """What it was loaded for, beside what the program takes for its window where that is more."""
    more = loaded is not None and window is not None and window > loaded
    return f"context {tokens(loaded)}" + (f" of {tokens(window)} (see num_ctx)" if more else "")


def explained(line: Line | None) -> list[tuple[str, Tone]]:
    """The line under the cursor in words."""
    if line is None:
        return []
    if line.pull is not None:
        words = f"\n{one_line(line.pull.problem, 200)}" if line.pull.problem else ""
        return [(f"{one_line(line.id, 80)}  ", "strong"), (pull_words(line.pull), "accent"), (words, "warn")]
    model = line.model
    assert model is not None
    parts: list[tuple[str, Tone]] = [(f"{one_line(model.ref, 100)}  ", "strong")]
    facts = [
        str(model.details[name])
        for name in ("family", "parameters", "quantization", "format")
        if name in model.details
    ]
    if "runs_at" in model.details:
        facts.append(f"runs at {one_line(str(model.details['runs_at']), 60)}")
    if model.fingerprint:
        facts.append(model.fingerprint.removeprefix("sha256:")[:12])
    parts.append((" · ".join(one_line(fact, 60) for fact in facts), "dim"))
    running = model.running
    if running is not None:
        gpu = on_gpu(running.vram_bytes, running.size_bytes)
        words = f"\nloaded: {size_words(running.size_bytes)}, {gpu} on GPU, {_context_words(running.context, model.window)}"
        until = _unloads(line)
        end = {UNKNOWN: "", "never": ", stays loaded"}.get(str(until), f", unloads {until}")
        parts.append((words + end, "ok"))
    return parts
