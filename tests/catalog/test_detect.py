"""What a URL tells: hosts decide, ports only hint, and nobody is fooled by a look-alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.detect import detect, is_loopback, is_private, normalise_base_url
from catalog.errors import UsageError


@pytest.mark.parametrize(
    ("url", "dialect", "catalog_id", "local"),
    [
        ("https://api.openai.com/v1", "openai", "openai", False),
        ("api.openai.com", "openai", "openai", False),
        ("https://API.OpenAI.com:443/v1/", "openai", "openai", False),
        ("https://eu.api.openai.com/v1", "openai", "openai", False),
        ("https://api.anthropic.com", "anthropic", "anthropic", False),
        ("https://api.deepseek.com/anthropic", "anthropic", "deepseek", False),
        ("https://gateway.example/team/anthropic/v1", "anthropic", None, False),
        ("https://anthropic.example.com/v1", "openai", None, False),
        ("https://generativelanguage.googleapis.com/v1beta", "gemini", "gemini", False),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "openai", "gemini", False),
        ("https://my-res.openai.azure.com/openai/v1", "azure", "azure", False),
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter", False),
        ("https://router.huggingface.co/v1", "huggingface", "huggingface", False),
        ("https://api.groq.com/openai/v1", "openai", "groq", False),
        ("http://localhost:11434", "ollama", "ollama", True),
        ("localhost:11434", "ollama", "ollama", True),
        ("0.0.0.0:11434", "ollama", "ollama", True),
        ("http://10.1.2.3:11434", "ollama", "ollama", True),
        ("http://localhost:11434/v1", "openai", "ollama", True),
        ("http://127.0.0.1:1234/v1", "openai", "lmstudio", True),
        ("http://127.0.0.1:8000/v1", "openai", None, True),
        ("http://[::1]:8080/v1", "openai", None, True),
        ("http://127.0.0.1:18080", "openai", None, True),
        ("https://llm.example.com/v1", "openai", None, False),
        ("https://llm.example.com:11434", "openai", None, False),
        ("https://api.openai.com.evil.example/v1", "openai", None, False),
        ("https://evil.example/https://api.openai.com/", "openai", None, False),
        ("https://evil.example?x=a.openai.azure.com/", "openai", None, False),
        ("https://notapi.openai.com.evil.example", "openai", None, False),
    ],
)
def test_a_url_tells_dialect_and_vendor(url: str, dialect: str, catalog_id: str | None, local: bool) -> None:
    found = detect(url)
    assert (found.dialect, found.catalog_id, found.local) == (dialect, catalog_id, local)


def test_a_port_alone_is_only_a_hint() -> None:
    assert detect("http://127.0.0.1:11434").confidence == "low"
    assert detect("http://127.0.0.1:8080").vendor == "llamacpp"
    assert detect("http://127.0.0.1:18080").confidence == "none"
    assert detect("https://api.anthropic.com").confidence == "high"
    assert detect("https://api.groq.com/openai/v1").vendor == "groq"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("https://Example.com/", "https://example.com"),
        (" https://example.com:443/v1/?a=b#c ", "https://example.com/v1"),
        ("http://example.com:80", "http://example.com"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("gpu-box:8000/v1", "http://gpu-box:8000/v1"),
        ("example.com/v1", "https://example.com/v1"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_one_spelling_for_every_address(given: str, wanted: str) -> None:
    assert normalise_base_url(given) == wanted
    assert normalise_base_url(wanted) == wanted


@pytest.mark.parametrize(
    "url",
    ["", "https://", "ftp://example.com", "https://user:pass@example.com", "https://key@api.openai.com", "https://a b.com",
     "https://example.com\x1b[31m", "https://example.com:99999", "https://evil.com\\.openai.azure.com", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        normalise_base_url(url)
    assert "pass" not in str(refused.value).replace("password", "")
    assert refused.value.hint


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"],
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    assert not is_private(host)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1",
     "gpu-box", "nas.local", "vm.internal", "box.lan", "3090-box"],
)  # fmt: skip
def test_private(host: str) -> None:
    assert is_private(host)
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:4860::8888", "example.com", "local.example.com", "134744072", "0x08080808", "10.0.0.1.example.com",
     "127.0.0.1.nip.io", "localhost.example.com", "::ffff:8.8.8.8", ""],
)  # fmt: skip
def test_public(host: str) -> None:
    assert not is_private(host)
    assert not is_loopback(host)


@given(st.text(max_size=40) | st.from_regex(r"(https?://)?[a-z0-9.\[\]:@/_-]{1,40}", fullmatch=True))
def test_any_text_is_an_address_in_one_spelling_or_refused(text: str) -> None:
    try:
        url = normalise_base_url(text)
    except UsageError:
        return
    assert normalise_base_url(url) == url
    assert url.startswith(("http://", "https://"))
    assert "@" not in url.split("/")[2]
    detect(url)
