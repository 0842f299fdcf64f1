"""What variables say: each rule with the variables a person has set, and what is never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.lookup import Catalog
from services.discovery_places import loopback_addresses
from services.discovery_rules import Rules
from services.discovery_views import Finding
from services.environment import Variables, no_key

SK = "sk-" + "a1B2" * 10
ANT = "sk-ant-api03-" + "x" * 40
GSK = "gsk_" + "a" * 48


def found(**variables: str) -> list[Finding]:
    return Rules(Variables(variables), Catalog(None)).findings()


def lines(**variables: str) -> list[tuple[str, str | None, str, str]]:
    """(state, vendor, endpoint, variable of the key) of each finding."""
    return [(one.state, one.catalog_id, one.endpoint, one.key_name) for one in found(**variables)]


OPENAI = ("adds", "openai", "https://api.openai.com/v1", "OPENAI_API_KEY")
CASES: dict[str, tuple[dict[str, str], list[tuple[str, str | None, str, str]]]] = {
    "nothing": ({}, []),
    "empty": ({"OPENAI_API_KEY": "", "GROQ_API_KEY": "  "}, []),
    "its own key": ({"OPENAI_API_KEY": SK}, [OPENAI]),
    "its own address said": (
        {"OPENAI_API_KEY": SK, "OPENAI_BASE_URL": "https://api.openai.com/v1/"},
        [OPENAI],
    ),
    "a region of the vendor": (
        {"OPENAI_API_KEY": SK, "OPENAI_BASE_URL": "https://eu.api.openai.com/v1"},
        [("adds", "openai", "https://eu.api.openai.com/v1", "OPENAI_API_KEY")],
    ),
    "elsewhere, a known vendor": (
        {"OPENAI_API_KEY": SK, "OPENAI_BASE_URL": "https://api.deepseek.com/v1"},
        [("adds", "deepseek", "https://api.deepseek.com/v1", "OPENAI_API_KEY")],
    ),
    "elsewhere, nobody knows": (
        {"OPENAI_API_KEY": SK, "OPENAI_BASE_URL": "https://llm.example/v1"},
        [("ambiguous", None, "", "OPENAI_API_KEY")],
    ),
    "elsewhere, this machine": (
        {"OPENAI_API_KEY": SK, "OPENAI_API_BASE": "http://127.0.0.1:8080/v1"},
        [("ambiguous", None, "", "OPENAI_API_KEY")],
    ),
    "an address alone": (
        {"OPENAI_BASE_URL": "https://api.openai.com/v1"},
        [("incomplete", "openai", "", "")],
    ),
    "a key of somebody else": ({"OPENAI_API_KEY": ANT}, [("ambiguous", None, "", "OPENAI_API_KEY")]),
    "a key of somebody else, at the vendor's own address": (
        {"OPENAI_API_KEY": ANT, "OPENAI_BASE_URL": "https://api.openai.com/v1"},
        [("ambiguous", None, "", "OPENAI_API_KEY")],
    ),
    "Azure's key under OpenAI's name": (
        {"OPENAI_API_KEY": "a" * 32, "OPENAI_API_TYPE": "azure"},
        [("incomplete", "azure", "", "OPENAI_API_KEY")],
    ),
    "a vendor's own key, at another vendor's address": (
        {"GROQ_API_KEY": GSK, "GROQ_BASE_URL": "https://api.openai.com/v1"},
        [("ambiguous", None, "", "GROQ_API_KEY")],
    ),
    "an example": ({"OPENAI_API_KEY": "your-key-here"}, [("incomplete", "openai", "", "")]),
    "two names of one key": ({"XAI_API_KEY": "xai-" + "a" * 50, "GROK_API_KEY": "xai-" + "a" * 50},
                            [("adds", "xai", "https://api.x.ai/v1", "XAI_API_KEY")]),
    "two keys of one vendor": ({"XAI_API_KEY": "xai-" + "a" * 50, "GROK_API_KEY": "xai-" + "b" * 50},
                              [("adds", "xai", "https://api.x.ai/v1", "XAI_API_KEY"), ("ambiguous", "xai", "https://api.x.ai/v1", "GROK_API_KEY")]),
    "google": ({"GOOGLE_API_KEY": "AIza" + "b" * 35}, [("ambiguous", None, "", "GOOGLE_API_KEY")]),
    "gemini, and a key that may be its own": (
        {"GEMINI_API_KEY": "AIza" + "a" * 35, "GOOGLE_API_KEY": "AIza" + "b" * 35},
        [("adds", "gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY"), ("ambiguous", None, "", "GOOGLE_API_KEY")],
    ),
    "gemini's two names, where an address says that both are": (
        {"GEMINI_API_KEY": "AIza" + "a" * 35, "GOOGLE_API_KEY": "AIza" + "b" * 35,
         "GOOGLE_GEMINI_BASE_URL": "https://generativelanguage.googleapis.com"},
        [("adds", "gemini", "https://generativelanguage.googleapis.com", "GOOGLE_API_KEY"),
         ("ambiguous", "gemini", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY")],
    ),
    "llama": ({"LLAMA_API_KEY": SK}, [("ambiguous", None, "", "LLAMA_API_KEY")]),
    "llama with its server": (
        {"LLAMA_API_KEY": SK, "LLAMA_CPP_BASE_URL": "localhost:9931"},
        [("adds", "llamacpp", "http://localhost:9931", "LLAMA_API_KEY")],
    ),
    "zhipu or z.ai": ({"ZHIPU_API_KEY": "a" * 32 + ".b"}, [("ambiguous", None, "", "ZHIPU_API_KEY")]),
    "z.ai by its address": (
        {"ZHIPU_API_KEY": "a" * 32 + ".b", "ZAI_BASE_URL": "https://api.z.ai/api/paas/v4"},
        [("adds", "zai", "https://api.z.ai/api/paas/v4", "ZHIPU_API_KEY")],
    ),
    "github": (
        {"GITHUB_TOKEN": "ghp_" + "a" * 36},
        [("ambiguous", None, "https://models.github.ai/inference", "GITHUB_TOKEN")],
    ),
    "a bearer token": ({"ANTHROPIC_AUTH_TOKEN": "abcdefghijkl"}, [("ambiguous", None, "", "ANTHROPIC_AUTH_TOKEN")]),
    "ollama, an address to bind to": ({"OLLAMA_HOST": "0.0.0.0"}, [("adds", "ollama", "http://127.0.0.1:11434", "")]),
    "ollama, another port": ({"OLLAMA_HOST": ":5555"}, [("adds", "ollama", "http://127.0.0.1:5555", "")]),
    "ollama, IPv6": ({"OLLAMA_HOST": "[::1]:5555"}, [("adds", "ollama", "http://[::1]:5555", "")]),
    "ollama, as seed 004 has it": ({"OLLAMA_BASE_URL": "http://localhost:11434"}, [("adds", "ollama", "http://localhost:11434", "")]),
    "ollama in the network": ({"OLLAMA_HOST": "192.168.1.4"}, [("offered", "ollama", "http://192.168.1.4:11434", "")]),
    "ollama, in public without encryption": ({"OLLAMA_HOST": "http://8.8.8.8:11434"}, [("incomplete", "ollama", "", "")]),
    "a local server's key alone": ({"VLLM_API_KEY": SK}, [("incomplete", "vllm", "", "VLLM_API_KEY")]),
    "both of PROVIDER_": (
        {"PROVIDER_PERPLEXITY_URL": "https://api.perplexity.ai/v1", "PROVIDER_PERPLEXITY_KEY": "pplx-" + "q" * 40},
        [("adds", "perplexity", "https://api.perplexity.ai/v1", "PROVIDER_PERPLEXITY_KEY")],
    ),
    "PROVIDER_ at nobody's address": (
        {"PROVIDER_ACME_URL": "https://llm.acme.example/v1", "PROVIDER_ACME_KEY": SK},
        [("adds", None, "https://llm.acme.example/v1", "PROVIDER_ACME_KEY")],
    ),
    "PROVIDER_ without its URL": ({"PROVIDER_ACME_KEY": SK}, [("incomplete", None, "", "PROVIDER_ACME_KEY")]),
    "PROVIDER_ without its key": ({"PROVIDER_ACME_URL": "https://llm.acme.example/v1"}, [("incomplete", None, "", "")]),
    "PROVIDER_ on this machine": ({"PROVIDER_ACME_URL": "http://127.0.0.1:9999"}, [("adds", None, "http://127.0.0.1:9999", "")]),
    "PROVIDER_ in the network": (
        {"PROVIDER_ACME_URL": "http://10.1.1.1:9999", "PROVIDER_ACME_KEY": SK},
        [("offered", None, "http://10.1.1.1:9999", "PROVIDER_ACME_KEY")],
    ),
    "PROVIDER_ with a password in it": (
        {"PROVIDER_ACME_URL": "https://me:hunter2secret@llm.example", "PROVIDER_ACME_KEY": SK},
        [("incomplete", None, "", "")],
    ),
    "one key under two names": (
        {"PERPLEXITY_API_KEY": "pplx-" + "q" * 40, "PROVIDER_P_URL": "https://api.perplexity.ai", "PROVIDER_P_KEY": "pplx-" + "q" * 40},
        [("adds", "perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY")],
    ),
    "a name nobody knows": ({"STRIPE_API_KEY": SK}, []),
    "a name nobody knows, a vendor's address": (
        {"ACME_API_KEY": GSK, "ACME_BASE_URL": "https://api.groq.com/openai/v1"},
        [("adds", "groq", "https://api.groq.com/openai/v1", "ACME_API_KEY")],
    ),
    "a name nobody knows, a vendor's address, another's key": (
        {"ACME_API_KEY": "acme-" + "a" * 30, "ACME_BASE_URL": "https://api.groq.com/openai/v1"},
        [("ambiguous", "groq", "https://api.groq.com/openai/v1", "ACME_API_KEY")],
    ),
    "a name and an address nobody knows": (
        {"ACME_API_KEY": SK, "ACME_BASE_URL": "https://acme.example/v1"},
        [("ambiguous", None, "https://acme.example/v1", "ACME_API_KEY")],
    ),
    "a known name, its address under a usual name": (
        {"NEBIUS_API_KEY": SK, "NEBIUS_BASE_URL": "https://nebius-gateway.example/v1"},
        [("ambiguous", None, "", "NEBIUS_API_KEY")],
    ),
    "anthropic": ({"ANTHROPIC_API_KEY": ANT}, [("adds", "anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY")]),
    "sign-in is not built yet": ({"GOOGLE_APPLICATION_CREDENTIALS": "/k.json"}, [("not yet", "vertexai", "", "GOOGLE_APPLICATION_CREDENTIALS")]),
    "an address of its own is missing": ({"AZURE_OPENAI_API_KEY": "a" * 32}, [("incomplete", "azure", "", "AZURE_OPENAI_API_KEY")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rule(case: str) -> None:
    variables, expected = CASES[case]
    assert lines(**variables) == expected


@pytest.mark.parametrize("case", CASES)
def test_no_value_leaves(case: str) -> None:
    variables, _ = CASES[case]
    secrets = [
        value for name, value in variables.items() if name.endswith(("KEY", "TOKEN")) and len(value) > 12
    ]
    secrets += ["hunter2secret"]
    said = repr(found(**variables)) + repr(Variables(variables))
    for secret in secrets:
        assert secret not in said


def test_why_says_which_variable_decided() -> None:
    (one,) = found(OPENAI_API_KEY=SK, OPENAI_BASE_URL="http://127.0.0.1:8080/v1")
    assert one.why == (
        "OPENAI_API_KEY is set; OPENAI_BASE_URL says http://127.0.0.1:8080/v1, so it need not be a key of OpenAI"
    )
    assert one.commands[0] == (
        "switchroom providers add local-8080 --url http://127.0.0.1:8080/v1 --key-env OPENAI_API_KEY"
    )


def test_what_is_missing_is_named() -> None:
    assert found(PROVIDER_ACME_KEY=SK)[0].missing == "PROVIDER_ACME_URL"
    assert found(PROVIDER_ACME_URL="https://a.example")[0].missing == "PROVIDER_ACME_KEY"
    assert found(VLLM_API_KEY=SK)[0].missing == "VLLM_BASE_URL"


def test_a_known_name_without_its_url_comes_with_the_command() -> None:
    (one,) = found(PROVIDER_PERPLEXITY_KEY="pplx-" + "q" * 40)
    assert one.state == "incomplete"
    assert one.commands == (
        "switchroom providers add perplexity --type perplexity --key-env PROVIDER_PERPLEXITY_KEY",
    )


def test_an_old_azure_setting_is_no_openai_key() -> None:
    why = found(OPENAI_API_KEY=SK, OPENAI_API_TYPE="azure", OPENAI_API_BASE="https://x.openai.azure.com")[0]
    assert (why.catalog_id, why.state) == ("azure", "adds")


def test_only_addresses_of_model_providers_are_looked_at() -> None:
    variables = Variables(
        {
            "OPENAI_BASE_URL": "http://localhost:9000/v1",
            "APP_BASE_URL": "http://localhost:3000",
            "DATABASE_URL": "http://localhost:5432",
            "ACME_API_KEY": "x",
            "ACME_BASE_URL": "http://127.0.0.1:7000",
            "GROQ_BASE_URL": "https://api.groq.com",
        }
    )
    assert loopback_addresses(variables, Catalog(None)) == [
        "http://localhost:9000/v1",
        "http://127.0.0.1:7000",
    ]


def test_a_vendor_of_the_users_own_catalog_has_its_variable(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_text(
        '{"id": "acme", "name": "Acme", "type": "openai", "api_endpoint": "https://acme.example/v1",'
        ' "api_key": "$ACME_TOKEN_API_KEY", "models": []}'
    )
    catalog = Catalog(tmp_path)
    if not any("ACME_TOKEN_API_KEY" in spec.env.key for spec in catalog.specs()):
        pytest.skip("the user's catalog names no variable")
    (one,) = Rules(Variables({"ACME_TOKEN_API_KEY": SK}), catalog).findings()
    assert (one.catalog_id, one.endpoint, one.adds) == ("acme", "https://acme.example/v1", True)


@pytest.mark.parametrize(
    "value",
    ["your-api-key", "sk-your-key-here", "<key>", "sk-...", "${OTHER}", "changeme", "xxxx", "None", "dummy"],
)
def test_examples_are_no_keys(value: str) -> None:
    assert no_key(value) == "holds an example, not a key"


@pytest.mark.parametrize("value", ["a b", "line\nbreak", "pässword", "a\x1b[2Jb"])
def test_what_no_key_holds(value: str) -> None:
    assert no_key(value)


@pytest.mark.parametrize("value", [SK, ANT, GSK, "0" * 32, "hf_" + "Q" * 34, "yourselfish-key-1234"])
def test_keys_are_keys(value: str) -> None:
    assert not no_key(value)


def test_what_is_shown_cannot_steer_a_terminal() -> None:
    place = "/home/me/\x1b[2J\u202eproject/.env"
    values = {"PROVIDER_A_KEY": SK, "PROVIDER_A_URL": "https://a.example/\u202ev1"}
    variables = Variables(values, "folder", place, frozenset(values))
    (one,) = Rules(variables, Catalog(None)).findings()
    assert one.path == place, "the file is read again by its own name"
    assert not any(character in one.why + one.options[0].label for character in "\x1b\u202e")


def test_azure_by_the_old_sdk_with_its_address_is_one_finding() -> None:
    [one] = found(
        OPENAI_API_KEY="a" * 32, OPENAI_API_TYPE="azure", AZURE_OPENAI_ENDPOINT="https://x.openai.azure.com"
    )
    assert (one.catalog_id, one.key_name, one.endpoint) == (
        "azure",
        "OPENAI_API_KEY",
        "https://x.openai.azure.com",
    )


def test_the_same_key_under_both_names_of_azure_is_one_finding() -> None:
    both = {
        "OPENAI_API_KEY": "a" * 32,
        "AZURE_OPENAI_API_KEY": "a" * 32,
        "OPENAI_API_TYPE": "azure",
        "AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com",
    }
    [one] = found(**both)  # type: ignore[arg-type]
    assert one.key_name == "AZURE_OPENAI_API_KEY"


def test_a_named_provider_is_shown_as_it_will_be_added() -> None:
    [one] = found(PROVIDER_A__B_URL="http://127.0.0.1:9999/v1")
    assert one.name == one.options[0].slug == "a-b"
