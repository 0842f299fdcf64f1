"""A real sshd on loopback with throw-away keys, and a real terminal: tmux, on a server of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from real_peers import free_port, tool, wait_until


class Sshd:
    """One sshd, and the command that logs in to it."""

    def __init__(self, folder: Path) -> None:
        daemon = tool("sshd")
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("host", "user"):
            subprocess.run(
                [tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
            )
        (folder / "authorized_keys").write_bytes((folder / "user.pub").read_bytes())
        port = free_port()
        config = folder / "sshd_config"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "UsePAM no\nPermitRootLogin prohibit-password\nStrictModes no\nAcceptEnv LANG LC_* COLORTERM\nPrintMotd no\n"
        )
        self._process = subprocess.Popen([daemon, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
        wait_until((folder / "pid").exists, "sshd listens")
        self.command = (
            f"ssh -p {port} -i {folder}/user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
            f" -o UserKnownHostsFile={folder}/known_hosts -o LogLevel=ERROR -tt 127.0.0.1"
        )

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class Tmux:
    """One tmux session running one command; keys go in as bytes, the screen comes out as text."""

    def __init__(self, folder: Path, command: str, columns: int = 120, rows: int = 40) -> None:
        self._base = [tool("tmux"), "-S", str(folder / "tmux.sock"), "-f", "/dev/null"]
        environment = {**os.environ, "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        self._run(
            "new-session",
            "-d",
            "-x",
            str(columns),
            "-y",
            str(rows),
            f"{command}; echo EXIT=$?; sleep 60",
            env=environment,
        )

    def _run(self, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run([*self._base, *words], capture_output=True, text=True, check=True, env=env)
        return done.stdout

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Named keys as tmux knows them: Enter, Escape, C-t, or one character."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def until(self, *words: str, seconds: float = 30) -> str:
        """Wait until all the words stand on the screen; return it."""
        shown = ""

        def seen() -> bool:
            nonlocal shown
            shown = self.screen()
            return all(word in shown for word in words)

        try:
            wait_until(seen, f"{words} on the screen", seconds)
        except BaseException:
            print(shown)
            raise
        return shown

    def until_lines(self, there: Callable[[list[str]], bool], what: str, seconds: float = 30) -> None:
        """Wait until the lines on the screen are as described."""
        try:
            wait_until(lambda: there(self.screen().splitlines()), what, seconds)
        except BaseException:
            print(self.screen())
            raise

    def close(self) -> None:
        subprocess.run([*self._base, "kill-server"], capture_output=True, check=False)


def quoted(*words: str, **environment: str) -> str:
    """One shell word list: VAR=value … command."""
    return " ".join(
        [*(f"{k}={shlex.quote(v)}" for k, v in environment.items()), *(shlex.quote(w) for w in words)]
    )
