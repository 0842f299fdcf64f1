"""Which process this is: the identity that owns reservations, and the actor that the audit log names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

FOREIGN_HOST_MS = 86_400_000
"""A reservation of another machine is taken for dead after this long; no run lasts a day."""


def identity(pid: int | None = None) -> str:
    """`host:pid:starttime` of a process (this one by default): never the same for two processes."""
    pid = os.getpid() if pid is None else pid
    return f"{host()}:{pid}:{_start_time(pid)}"


def is_alive(owner: str, age_ms: int = 0) -> bool:
    """Whether the process of this identity still runs. `age_ms` decides for other machines, which can't be asked."""
    try:
        machine, pid_text, started = owner.rsplit(":", 2)
        pid = int(pid_text)
    except ValueError:
        return False
    if machine != host():
        return age_ms < FOREIGN_HOST_MS
    if started != "0":
        return _start_time(pid) == started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def actor(face: str, environ: Mapping[str, str] | None = None) -> str:
    """Who acts, for the audit log: `ann@box (ssh 10.0.0.1) cli[4242]`."""
    environ = os.environ if environ is None else environ
    client = (environ.get("SSH_CONNECTION") or environ.get("SSH_CLIENT") or "").split(" ")[0]
    via = f" (ssh {client})" if client else ""
    return f"{_user()}@{host()}{via} {face}[{os.getpid()}]"


def host() -> str:
    """This machine's name, without colons."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return name.replace(":", "-") or "localhost"


def _user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USER") or os.environ.get("USERNAME") or "unknown"


def _start_time(pid: int) -> str:
    """The kernel's start tick of a process; `0` where the system does not tell, or no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "0"
    # The command name, in parentheses, may hold spaces: count fields after it. A zombie is dead.
    fields = stat[stat.rfind(")") + 2 :].split()
    return fields[19] if fields[0] not in ("Z", "X") else "0"
