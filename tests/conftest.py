"""Fixtures every test may use: a home of its own, and an environment without the developer's own settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOREIGN = (
    "SWITCHROOM_",
    "LX_",
    "OPENAI_",
    "ANTHROPIC_",
    "GEMINI_",
    "AZURE_",
    "GOOGLE_",
    "OLLAMA_",
    "HF_",
    "PROVIDER_",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No provider key, proxy or setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.upper() in _PROXIES or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    for name in ("SSH_CONNECTION", "SSH_CLIENT", "TMUX", "NO_COLOR", "COLORTERM", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", os.devnull)  # nor a token that a login left
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("SWITCHROOM_CATALOG__REFRESH", "off")  # those who test it switch it on
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__LOOPBACK", "false")
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "off")
    monkeypatch.setenv("SWITCHROOM_SYNC__AT_START", "false")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty SWITCHROOM_HOME."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("SWITCHROOM_HOME", str(folder))
    return folder
