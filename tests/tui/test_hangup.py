"""A terminal that goes away ends the program, whether or not a signal says so."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
        while b"Providers" not in seen and select.select([master], [], [], 30)[0]:
            seen += os.read(master, 65536)
        assert b"Providers" in seen
        os.close(master)
        assert program.wait(timeout=20) == 130
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGKILL)
            program.wait()
