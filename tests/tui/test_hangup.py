"""A terminal that goes away ends the program, whether or not a signal says so."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tui.hangup import LastingWriter

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("demo", [[], ["--demo"]], ids=["own store", "demo"])
def test_a_closed_terminal_without_a_signal_ends_the_program(home: Path, demo: list[str]) -> None:
    master, slave = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *demo],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,  # a session without a controlling terminal: no SIGHUP will come
        cwd=ROOT,
        env={**os.environ, "SWITCHROOM_HOME": str(home)},
    )
    try:
        os.close(slave)
        seen = b""
        end = time.monotonic() + 30
        while b"Overview" not in seen and time.monotonic() < end and select.select([master], [], [], 30)[0]:
            seen += os.read(master, 65536)
        assert b"Overview" in seen
        os.close(master)
        assert program.wait(timeout=20) == 130
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGKILL)
            program.wait()


def test_what_is_written_to_a_lost_terminal_holds_nothing_up(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        writer = LastingWriter(file)
        writer.start()
        writer.write("seen")
        assert os.read(reading, 100) == b"seen"
        os.close(reading)
        for _ in range(100):  # more than the queue takes
            writer.write("a frame that nobody sees\n" * 1000)
        writer.stop()
        assert not writer.is_alive()
        with contextlib.suppress(BrokenPipeError):
            file.close()
