"""The command `switchroom`: what it starts, and how everything that can end it becomes one exit status."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line to its exit status (CLI contract). Never raises, never prints a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _prepare_streams()
    try:
        from cli.screen import start, wanted

        if "_SWITCHROOM_COMPLETE" not in os.environ and (demo := wanted(arguments)) is not None:
            return start(demo=demo)
        from cli.root import root

        if "_SWITCHROOM_COMPLETE" in os.environ:  # the shell asks for completions; click answers and exits
            root.main(arguments, prog_name="switchroom")
        # Not root.main(): that has answers of its own to Ctrl-C and to a closed pipe.
        with root.make_context("switchroom", arguments) as context:
            root.invoke(context)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except BaseException as problem:  # noqa: BLE001 - whatever it was, it becomes a line and a status
        status = _exit_status(problem)
        return _failed(problem, arguments) if status is None else status
    return 0


def _exit_status(problem: BaseException) -> int | None:
    """The status of what is no failure but the way out; None for a failure."""
    from click.exceptions import Exit

    if isinstance(problem, Exit):
        return problem.exit_code
    if isinstance(problem, SystemExit):
        return problem.code if isinstance(problem.code, int) else 0
    return None


def _failed(problem: BaseException, arguments: Sequence[str]) -> int:
    from cli.failures import UNWRITABLE, report

    if isinstance(problem, KeyboardInterrupt):
        _end_undisturbed()
    try:
        return report(problem, arguments)
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except OSError:
        _silence_stdout()
        return UNWRITABLE


def _prepare_streams() -> None:
    """Standard streams that were closed lead nowhere; characters that one cannot say become `?`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - open until the program ends
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _end_undisturbed() -> None:
    """The user has said so; what is left is a line and the exit status, whoever reads and whatever else is pressed."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not _writable():
        _silence_stdout()


def _writable() -> bool:
    """False when a write would block: whoever reads standard output has stopped reading."""
    import select

    try:
        return bool(select.select([], [sys.stdout.fileno()], [], 0)[1])
    except (OSError, ValueError):
        return True


def _silence_stdout() -> None:
    """Nobody can read standard output any more: keep the interpreter's last flush from complaining about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
