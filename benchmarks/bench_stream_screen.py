"""B5: 200 tokens a second of Markdown on a real 120×40 pseudo-terminal: CPU, worst stall, key echo, bytes to the terminal."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import select
import statistics
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOKENS_PER_S = 200
CHARS_PER_TOKEN = 4
WARM_S, MEASURE_S = 1.5, 6.0
MARK = "§"
"""Typed into the prompt; stands in no document."""

PARAGRAPHS = '''## Section with `inline code`

The control room shows **what a run costs** before it is sent, and keeps the *partial* answer when it is stopped. Prices are
normalised to cache reads and writes, and unknown stays unknown: see [the manual](https://example.com/manual) for more.

- first point with some text that goes on long enough to be wrapped over the edge of the line, as lists often do
- second point, **bold in it**, and `code`
  - a nested one: zażółć gęślą jaźń, 日本語のテキスト

```python
def total(rows: list[Row]) -> Decimal:
    """The sum of what is known."""
    return sum((row.cost for row in rows if row.cost is not None), Decimal(0))
```

| model | in | out |
|---|--:|--:|
| small | $0.15 | $0.60 |
| large | $2.50 | $10.00 |

'''
CODE = '''def total(rows: list[Row], start: int = 0) -> Decimal:
    """The sum of what is known, from a row on."""
    known = [row.cost for row in rows[start:] if row.cost is not None]  # unknown stays unknown
    return sum(known, Decimal("0.00"))

'''


def document(kind: str, size: int) -> str:
    """A document of at least `size` characters."""
    unit = PARAGRAPHS if kind == "prose" else CODE
    text = unit * (size // len(unit) + 1)
    return f"```python\n{text}" if kind == "fence" else text


@dataclass(frozen=True)
class Figures:
    """One scenario, measured."""

    kind: str
    size: int
    low: bool
    cpu: float
    stall_ms: float
    echo_p50_ms: float
    echo_p95_ms: float
    kb_per_s: float


async def child(kind: str, size: int, low: bool, report: Path) -> None:
    """The program under measurement: the transcript over a prompt, streaming for ever."""
    from textual.app import App, ComposeResult
    from textual.widgets import TextArea

    from tui.themes import DARK
    from tui.widgets.transcript import Transcript
    from tui.widgets.transcript_blocks import MarkdownBlock

    text = document(kind, size + 20_000)

    class Bench(App[None]):
        CSS = "TextArea { height: 4; } Screen { layout: vertical; }"

        def compose(self) -> ComposeResult:
            yield Transcript()
            yield TextArea()

        def __init__(self) -> None:
            super().__init__()
            self.register_theme(DARK)
            self.theme = "dark"

        def on_mount(self) -> None:
            self.query_one(TextArea).focus()
            self.run_worker(self.stream())
            self.run_worker(self.watch())

        async def stream(self) -> None:
            transcript = self.query_one(Transcript)
            transcript.low_bandwidth = low
            await asyncio.sleep(0.3)
            block = MarkdownBlock(text[:size], live=True)
            transcript.add(block)
            transcript.streaming(True)
            at, began = size, time.monotonic()
            while at < len(text):
                due = size + int((time.monotonic() - began) * TOKENS_PER_S) * CHARS_PER_TOKEN
                while at < min(due, len(text)):
                    block.add(text[at : at + CHARS_PER_TOKEN])
                    transcript.changed(block)
                    at += CHARS_PER_TOKEN
                await asyncio.sleep(1 / TOKENS_PER_S)

        async def watch(self) -> None:
            await asyncio.sleep(WARM_S)
            worst, cpu, began = 0.0, time.process_time(), time.monotonic()
            while time.monotonic() - began < MEASURE_S:
                before = time.monotonic()
                await asyncio.sleep(0.01)
                worst = max(worst, time.monotonic() - before - 0.01)
            used = (time.process_time() - cpu) / (time.monotonic() - began)
            await asyncio.to_thread(report.write_text, json.dumps({"cpu": used, "stall": worst}))
            self.exit()

    await Bench().run_async()


def measure(kind: str, size: int, low: bool) -> Figures:
    """Run one scenario in a pseudo-terminal and be the person at it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=str(ROOT))
            os.execv(
                sys.executable,
                [sys.executable, __file__, "child", kind, str(size), str(int(low)), str(report)],
            )
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        written, echoes = _attend(fd, report)
        os.waitpid(pid, 0)
        os.close(fd)
        inside = json.loads(report.read_text())
    echoes.sort()
    p95 = echoes[min(len(echoes) - 1, int(len(echoes) * 0.95))]
    return Figures(
        kind,
        size,
        low,
        inside["cpu"],
        inside["stall"] * 1000,
        statistics.median(echoes) * 1000,
        p95 * 1000,
        written / 1000,
    )


def _attend(fd: int, report: Path) -> tuple[float, list[float]]:
    """Read what comes, type now and then: bytes per second and the seconds until each typed character is seen."""
    began = None
    start = time.monotonic()
    typed: float | None = None
    next_key = start + WARM_S
    total, echoes = 0, []
    mark = MARK.encode()
    while True:
        ready, _, _ = select.select([fd], [], [], 0.005)
        now = time.monotonic()
        if ready:
            try:
                data = os.read(fd, 1 << 16)
            except OSError:
                break
            if not data:
                break
            if began is None:
                began = now
            if now - began > WARM_S and not report.exists():
                total += len(data)
            if typed is not None and mark in data:
                echoes.append(now - typed)
                typed = None
                os.write(fd, b"\x7f")
        if now >= next_key and typed is None and not report.exists():
            os.write(fd, mark)
            typed, next_key = now, now + 0.23
    seconds = max(0.1, time.monotonic() - (began or start) - WARM_S - 0.2)
    return total / seconds, echoes


SCENARIOS = [
    ("prose", 8_000, False), ("prose", 64_000, False), ("fence", 8_000, False), ("fence", 64_000, False),
    ("prose", 64_000, True), ("fence", 64_000, True),
]  # fmt: skip


def main() -> int:
    print(
        "B5 stream on the screen, 200 tok/s, 120×40  (bars: cpu ≤ 20 %, stall ≤ 60 ms, echo p95 ≤ 60 ms, ≤ 260 KB/s; low ≤ 80 KB/s)"
    )
    print(f"{'document':<14}{'CPU':>8}{'stall':>10}{'echo p50':>10}{'echo p95':>10}{'KB/s':>8}")
    cpu: dict[tuple[str, int, bool], float] = {}
    good = True
    for kind, size, low in SCENARIOS:
        got = measure(kind, size, low)
        cpu[kind, size, low] = got.cpu
        name = f"{kind} {size // 1000}k{' low' if low else ''}"
        print(
            f"{name:<14}{got.cpu:>7.1%}{got.stall_ms:>7.0f} ms{got.echo_p50_ms:>7.0f} ms{got.echo_p95_ms:>7.0f} ms{got.kb_per_s:>8.0f}",
            flush=True,
        )
        good &= (
            got.cpu <= 0.20
            and got.stall_ms <= 60
            and got.echo_p95_ms <= 60
            and got.kb_per_s <= (80 if low else 260)
        )
    for kind in ("prose", "fence"):
        ratio = cpu[kind, 64_000, False] / cpu[kind, 8_000, False]
        print(f"{kind}: 64k costs {ratio:.2f} × 8k (bar ≤ 1.2)")
        good &= ratio <= 1.2
    print("met" if good else "MISSED")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        asyncio.run(child(sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1", Path(sys.argv[5])))
    else:
        sys.exit(main())
