"""B9: a live chart of 100×20 cells in a real pseudo-terminal: bytes for each update, and CPU at ten updates a second."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import sys
import tempfile
import termios
from pathlib import Path

from benchmarks.chart_child import MARK

ROOT = Path(__file__).resolve().parent.parent
BYTES_BAR, CPU_BAR = 3_000, 0.05
PEERS = (
    "one label 180 B · braille, changed spans only 2.4–2.8 KB · plotext 13–14 KB · Textual's Sparkline 76 KB"
)
"""BARS.md's figures for the same update."""
SCENARIOS = (("bars", 1.0, 8), ("bars", 10.0, 80), ("lines", 10.0, 80))


def measure(kind: str, hertz: float, updates: int) -> tuple[float, float]:
    """(bytes for each update, share of one core)."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=str(ROOT))
            arguments = ["benchmarks.chart_child", str(hertz), str(updates), kind, str(report)]
            os.execv(sys.executable, [sys.executable, "-m", *arguments])
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        counted = _between_marks(fd)
        os.waitpid(pid, 0)
        os.close(fd)
        return counted / updates, json.loads(report.read_text())["cpu"]


def _between_marks(fd: int) -> int:
    """Bytes from the first mark to the second."""
    written = bytearray()
    while select.select([fd], [], [], 60)[0]:
        try:
            data = os.read(fd, 1 << 16)
        except OSError:
            break
        if not data:
            break
        written += data
    parts = bytes(written).split(MARK.encode())
    if len(parts) < 3:
        raise SystemExit(f"the chart was never drawn: {bytes(written[-2000:])!r}")
    return len(parts[1])


def main() -> int:
    print(f"B9 chart on the wire, 100×20 in 120×40  (bars: ≤ {BYTES_BAR:,} B an update, ≤ {CPU_BAR:.0%} CPU at 10 Hz)")  # fmt: skip
    good = True
    for kind, hertz, updates in SCENARIOS:
        size, cpu = measure(kind, hertz, updates)
        print(f"{kind:<6}{hertz:>4.0f} Hz {size:>7,.0f} B/update  {cpu:>6.1%} CPU", flush=True)
        good &= size <= BYTES_BAR and (hertz < 10 or cpu <= CPU_BAR)
    print(f"peers: {PEERS}")
    print("met" if good else "MISSED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
