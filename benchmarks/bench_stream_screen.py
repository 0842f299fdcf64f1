"""B5: 200 tokens a second of Markdown on a real 120×40 pseudo-terminal: CPU, worst stall, key echo, bytes to the terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TYPE_AFTER_S, COUNT_AFTER_S, ROUND_S = 3.0, 3.0, 4.5
"""Seconds from the first output to the first typed character, to the first counted byte, and how long bytes are counted."""
MARK = "§"
"""Typed into the prompt; stands in no document."""


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


def measure(kind: str, size: int, low: bool) -> Figures:
    """Run one scenario in a pseudo-terminal and be the person at it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=str(ROOT))
            os.execv(
                sys.executable,
                [
                    sys.executable,
                    "-m",
                    "benchmarks.stream_screen_child",
                    kind,
                    str(size),
                    str(int(low)),
                    str(report),
                ],
            )
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        written, echoes = _attend(fd, pid, report)
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


def _attend(fd: int, pid: int, report: Path) -> tuple[float, list[float]]:
    """Read what comes, type now and then: bytes per second and the seconds until each typed character is seen."""
    began: float | None = None
    typed: float | None = None
    next_key, total = 0.0, 0
    echoes: list[float] = []
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
                began, next_key = now, now + TYPE_AFTER_S
            if COUNT_AFTER_S <= now - began < COUNT_AFTER_S + ROUND_S:
                total += len(data)
            if typed is not None and mark in data:
                echoes.append(now - typed)
                typed = None
                os.write(fd, b"\x7f")
        if began is not None and now - began > 30:
            os.kill(pid, signal.SIGKILL)
        if began is not None and now >= next_key and typed is None and not report.exists():
            os.write(fd, mark)
            typed, next_key = now, now + 0.23
    return total / ROUND_S, echoes


SCENARIOS = [
    ("prose", 8_000, False), ("prose", 64_000, False), ("fence", 8_000, False), ("fence", 64_000, False),
    ("paragraph", 8_000, False), ("paragraph", 64_000, False), ("item", 8_000, False), ("item", 64_000, False),
    ("table", 8_000, False), ("table", 64_000, False),
    ("prose", 64_000, True), ("fence", 64_000, True),
]  # fmt: skip


def main() -> int:
    print(
        "B5 stream on the screen, 200 tok/s, 120×40  (bars: cpu ≤ 20 %, stall ≤ 60 ms, echo p95 ≤ 60 ms, ≤ 260 KB/s; low ≤ 80 KB/s)"
    )
    print(f"{'document':<16}{'CPU':>8}{'stall':>10}{'echo p50':>10}{'echo p95':>10}{'KB/s':>8}")
    cpu: dict[tuple[str, int, bool], float] = {}
    good = True
    for kind, size, low in SCENARIOS:
        got = measure(kind, size, low)
        cpu[kind, size, low] = got.cpu
        name = f"{kind} {size // 1000}k{' low' if low else ''}"
        print(
            f"{name:<16}{got.cpu:>7.1%}{got.stall_ms:>7.0f} ms{got.echo_p50_ms:>7.0f} ms{got.echo_p95_ms:>7.0f} ms{got.kb_per_s:>8.0f}",
            flush=True,
        )
        good &= (
            got.cpu <= 0.20
            and got.stall_ms <= 60
            and got.echo_p95_ms <= 60
            and got.kb_per_s <= (80 if low else 260)
        )
    for kind in ("prose", "fence", "paragraph", "item", "table"):
        ratio = cpu[kind, 64_000, False] / cpu[kind, 8_000, False]
        print(f"{kind}: 64k costs {ratio:.2f} × 8k (bar ≤ 1.2)")
        good &= ratio <= 1.2
    print("met" if good else "MISSED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
