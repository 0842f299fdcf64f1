"""The demo left running: `python -m benchmarks.soak [minutes]` (30) goes from mode to mode and watches memory and CPU."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import time

import psutil

from benchmarks.bench_start import ROOT, drain

KEYS = (b"1", b"2", b"3", b"4", b"5", b"9", b"0", b"6", b"\x1b")
"""The modes in turn; Chat last, and out of its prompt again."""
EVERY_S = 4.0
WARM_S = 30.0
"""What is loaded once is loaded by then: memory is compared from here on."""


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    pid, descriptor = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.chdir(ROOT)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
        os.execvp(sys.executable, [sys.executable, "-m", "cli.main", "--demo"])
    process = psutil.Process(pid)
    begin, written, step, first, samples = time.monotonic(), 0, 0, 0.0, 0
    used_then, warm_at, peak, rss = 0.0, begin, 0.0, 0.0
    try:
        while time.monotonic() - begin < minutes * 60:
            written += drain(descriptor, EVERY_S)
            os.write(descriptor, KEYS[step % len(KEYS)])
            step += 1
            rss, cpu = process.memory_info().rss / 2**20, process.cpu_times()
            peak = max(peak, rss)
            now = time.monotonic()
            if not first and now - begin > min(WARM_S, minutes * 20):
                first, used_then, warm_at = rss, cpu.user + cpu.system, now
            if step % 15 == 0:
                print(f"{(now - begin) / 60:5.1f} min   {rss:6.1f} MiB", flush=True)
            samples += 1
        cpu = process.cpu_times()
        share = (cpu.user + cpu.system - used_then) / (time.monotonic() - warm_at) * 100
        print(
            f"memory {first:.1f} MiB after {WARM_S:.0f} s, {rss:.1f} at the end, {peak:.1f} at most; CPU {share:.1f} % on average;"
        )
        print(
            f"{written / (time.monotonic() - begin) / 1000:.1f} KB/s written; {step} keys in {minutes:g} minutes"
        )
    finally:
        os.kill(pid, signal.SIGTERM)
        drain(descriptor, 0.1)
        os.close(descriptor)
        os.waitpid(pid, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
