"""An address of an Ollama server, however somebody writes it: as OLLAMA_HOST, as a URL, with a call behind it."""

from __future__ import annotations

import pytest

from catalog.errors import UsageError
from catalog.lookup import Catalog
from services.targets import resolve_target


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("box", "http://box:11434"),
        ("192.168.1.5", "http://192.168.1.5:11434"),
        ("192.168.1.5:8000", "http://192.168.1.5:8000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":5678", "http://127.0.0.1:5678"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:2", "http://[::1]:2"),
        ('"localhost"', "http://localhost:11434"),
        ("box/ollama", "http://box:11434/ollama"),
        ("http://box", "http://box"),
        ("https://ollama.com/api", "https://ollama.com/api"),
        ("ollama.com", "https://ollama.com"),
    ],
)
def test_an_address_means_what_ollama_means_by_it(written: str, endpoint: str) -> None:
    target = resolve_target(Catalog(), "ollama", written, None)
    assert (target.dialect, target.endpoint) == ("ollama", endpoint)


@pytest.mark.parametrize("written", ["", "http://", "box:abc", "two words", "::1"])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(UsageError):
        resolve_target(Catalog(), "ollama", written, None)


def test_others_keep_the_ports_of_the_web() -> None:
    assert resolve_target(Catalog(), "openai", "box", None).endpoint == "http://box"
