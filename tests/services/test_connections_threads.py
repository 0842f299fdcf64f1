"""What a connection needs is read away from the screen's thread."""

from __future__ import annotations

import ssl
import threading

import pytest

from services.container import Services
from services.registry import ProviderDraft


async def test_certificates_are_read_in_a_thread_and_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[threading.Thread] = []

    def public() -> ssl.SSLContext:
        readers.append(threading.current_thread())
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr("adapters.fetch._public_context", public)
    for slug in ("one", "two"):
        await services.registry.add(
            ProviderDraft(slug=slug, url=f"https://{slug}.example/v1"), None, test=False
        )
        await services.registry.adapter(slug)
    assert len(readers) == 1
    assert readers[0] is not threading.main_thread()
