"""What the environment says of Azure: a token goes before a key, and the version is taken along."""

from __future__ import annotations

from catalog.lookup import Catalog
from services.discovery_rules import Rules
from services.discovery_views import Finding
from services.environment import Variables

WHERE = {"AZURE_OPENAI_ENDPOINT": "https://contoso.openai.azure.com"}
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjb2duaXRpdmUifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4"


def found(**variables: str) -> list[Finding]:
    return Rules(Variables(variables, "environment"), Catalog(None)).findings()


def test_a_token_goes_before_the_key() -> None:
    [one] = found(AZURE_OPENAI_AD_TOKEN=TOKEN, AZURE_OPENAI_API_KEY="a" * 32, **WHERE)
    assert (one.kind, one.dialect, one.key_ref) == ("clear", "azure", "env:AZURE_OPENAI_AD_TOKEN")
    assert one.adds


def test_the_version_of_the_environment_is_taken_along() -> None:
    [one] = found(AZURE_OPENAI_API_KEY="a" * 32, OPENAI_API_VERSION="2024-10-21", **WHERE)
    assert one.options[0].draft().options == {"api_version": "2024-10-21"}
    [other] = found(AZURE_OPENAI_API_KEY="a" * 32, OPENAI_API_VERSION="newest", **WHERE)
    assert other.options[0].draft().options is None


def test_without_an_address_it_is_said_what_is_missing() -> None:
    [one] = found(AZURE_OPENAI_API_KEY="a" * 32)
    assert (one.kind, one.missing) == ("incomplete", "AZURE_OPENAI_ENDPOINT")
    assert not one.unsupported
