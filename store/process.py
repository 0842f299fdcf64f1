"""Who owns a reservation: a process, named so that a later one with the same number is not taken for it."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


@cache
def own_identity() -> str:
    """`host:pid:starttime` of this process."""
    return f"{platform.node()}:{os.getpid()}:{_start_time(os.getpid())}"


def is_alive(owner: str) -> bool:
    """False when the process is certainly gone; one on another host cannot be asked and counts as alive."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    started = owner.rpartition(":")[2]
    if host != platform.node():
        return True
    if not rest.isdigit():
        return False
    pid = int(rest)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _start_time(pid) in {started, ""} or not started


def _start_time(pid: int) -> str:
    """The kernel's start time of a process; empty where there is no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} and pid != os.getpid() else fields[19]
