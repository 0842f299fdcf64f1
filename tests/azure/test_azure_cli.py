"""Azure on the command line: deployments are what can be asked, and both ways of signing in with Entra ID."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from azure_cloud import KEY, Cloud
from cli_harness import Done, in_process
from entra_server import DEVICE, SECRET, USER_CODE, Clock

Cli = Callable[..., Done]


@pytest.fixture
def cli(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A command line in this process; the vault opens by itself, and at once."""
    monkeypatch.setattr("store.vault.format._COST", {"n": 2**10, "r": 8, "p": 1})
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    file = tmp_path / "vault.key"
    file.write_text("correct horse battery staple\n")
    file.chmod(0o600)
    monkeypatch.setenv("SWITCHROOM_VAULT_KEY_FILE", str(file))

    return partial(in_process, monkeypatch)


def add(cli: Cli, cloud: Cloud, *more: str, stdin: str = "") -> Done:
    return cli("providers", "add", "eu", "--type", "azure", "--url", cloud.url, *more, "--json", stdin=stdin)


def everything_written(home: Path) -> bytes:
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "vault.json"]
    return b"".join(path.read_bytes() for path in files)


def test_deployments_are_asked_for_and_priced_by_the_model_behind_them(cli: Cli, cloud: Cloud) -> None:
    cloud.lists = True
    done = add(cli, cloud, "--key-stdin", "--cost", "metered", stdin=KEY)
    assert done.status == 0, done.err
    assert [model["id"] for model in cli("models", "list", "--provider", "eu", "--json").json["models"]] == []
    assert cli("sync", "eu").status == 0
    models = cli("models", "list", "--provider", "eu", "--json").json["models"]
    assert [model["id"] for model in models] == ["chat-prod", "mini"]
    assert models[0]["price"]["input"] == "2.5"
    assert models[0]["sources"]["price"] == "map:azure/gpt-4o"
    answer = cli("chat", "-m", "eu/chat-prod", "--json", "hello").json
    assert (answer["text"], answer["cost_grade"]) == ("Hello there", "computed")
    # what the user says goes before what the list says
    assert cli("models", "map", "eu/chat-prod", "openai/gpt-5.4-mini").status == 0
    [first, _] = cli("models", "list", "--provider", "eu", "--json").json["models"]
    assert first["sources"]["price"] == "map:openai/gpt-5.4-mini"


def test_a_resource_that_does_not_list_its_deployments_has_those_that_are_named(
    cli: Cli, cloud: Cloud
) -> None:
    done = add(cli, cloud, "--key-stdin", "--option", "deployment=chat-prod", stdin=KEY)
    assert done.status == 0, done.err
    assert cli("sync", "eu").status == 0
    models = cli("models", "list", "--provider", "eu", "--json").json["models"]
    assert [model["id"] for model in models] == ["chat-prod"], "base models are not offered"
    assert cli("chat", "-m", "eu/mini", "hello").out.strip() == "Hello there", "a typed deployment works"
    wrong = cli("chat", "-m", "eu/gpt-4o", "hello")
    assert wrong.status == 5
    assert "eu has no deployment named gpt-4o." in wrong.err
    assert "--option deployment=NAME" in wrong.err


def test_a_misspelt_deployment_is_noticed_before_anything_is_stored(cli: Cli, cloud: Cloud) -> None:
    done = add(cli, cloud, "--key-stdin", "--option", "deployment=chat-prd", stdin=KEY)
    assert done.status == 5
    assert "eu has no deployment named chat-prd." in done.err
    assert cli("providers", "list", "--json").json["providers"] == []


def test_the_portals_address_says_version_and_deployment(cli: Cli) -> None:
    url = "https://contoso.openai.azure.com/openai/deployments/chat-prod/chat/completions?api-version=2025-01-01-preview"
    done = cli("providers", "add", "eu", "--url", url, "--no-test", "--json")
    assert (done.json["type"], done.json["options"]) == ("azure", {"api_version": "2025-01-01-preview"})
    wrong = cli("providers", "edit", "eu", "--option", "api_version=latest")
    assert wrong.status == 2


def test_a_person_signs_in_on_the_way_and_stays_signed_in(
    cli: Cli, cloud: Cloud, clock: Clock, home: Path
) -> None:
    cloud.entra.person = ["authorization_pending", "slow_down", "authorization_pending"]
    done = add(cli, cloud, "--option", "deployment=chat-prod", *cloud.sign_in)
    assert done.status == 0, done.err
    assert f"and type {USER_CODE}" in done.err
    assert "It is good for 15 minutes" in done.err
    assert clock.seconds == 1_800_000_000 + 5 + 5 + 10 + 10
    [state] = cli("keys", "status", "eu", "--json").json["keys"]
    assert state["sign_in"] == {"as": "person", "source": "vault", "state": "ready", "message": None}
    assert "sign-in vault" in cli("keys", "status").out
    assert cli("chat", "-m", "eu/chat-prod", "hello").out.strip() == "Hello there"
    clock.seconds += 7200
    assert cli("chat", "-m", "eu/chat-prod", "hello").status == 0
    assert cli("chat", "-m", "eu/chat-prod", "hello").status == 0
    assert cloud.entra.grants()[-2:] == ["device_code", "refresh_token"], "once for both programs"
    moved = cli("vault", "move", "file", "--json")
    assert moved.status == 0
    assert cli("providers", "test", "eu").status == 0
    exported = home / "export.json"
    assert cli("config", "export", str(exported)).status == 0
    written = everything_written(home).replace(
        (home / "config/credentials/eu#sign-in.json").read_bytes(), b""
    )
    for secret in (DEVICE, USER_CODE, "canary-refresh-", *cloud.entra.issued):
        assert secret.encode() not in written
        assert secret not in done.out + state["state"]
    assert "provider.add" in cli("audit", "list").out
    assert cli("providers", "remove", "eu").status == 0
    assert not list((home / "config/credentials").glob("*.json")), "the sign-in went with its provider"


def test_signing_in_again_after_it_was_revoked(cli: Cli, cloud: Cloud, clock: Clock) -> None:
    assert add(cli, cloud, *cloud.sign_in, "--no-test").status == 0
    [state] = cli("keys", "status", "--json").json["keys"]
    assert (state["sign_in"]["state"], state["key"]) == ("missing", None)
    needed = cli("providers", "test", "eu")
    assert needed.status == 4
    assert "Sign in: switchroom providers login eu" in needed.err
    done = cli("providers", "login", "eu", "--json")
    assert done.status == 0, done.err
    assert done.json == {"slug": "eu", "signed_in": True, "as": "person", "state": "ok", "message": "The sign-in is accepted. No deployment is named yet."}  # fmt: skip
    cloud.entra.refuses["refresh_token"] = "invalid_grant AADSTS700082: The refresh token has expired."
    clock.seconds += 7200
    over = cli("chat", "-m", "eu/chat-prod", "hello")
    assert over.status == 4
    assert "Sign in again: switchroom providers login eu" in over.err
    assert cli("providers", "login", "eu").status == 0
    assert cli("chat", "-m", "eu/chat-prod", "hello").status == 0
    rows = cli("audit", "list", "--action", "provider.login", "--json").json["rows"]
    assert [row["detail"]["kept_in"] for row in rows] == ["vault", "vault"]


def test_an_application_signs_in_with_its_secret(cli: Cli, cloud: Cloud, clock: Clock, home: Path) -> None:
    wrong = add(cli, cloud, *cloud.sign_in, "--key-stdin", stdin="wrong-secret-0123456789")
    assert wrong.status == 4
    assert "client secret" in wrong.err
    assert "wrong-secret-0123456789" not in wrong.err
    assert add(cli, cloud, *cloud.sign_in, "--key-stdin", stdin=SECRET).status == 0
    asked = len(cloud.entra.asked)
    assert cli("chat", "-m", "eu/chat-prod", "hello").status == 0
    assert cli("chat", "-m", "eu/chat-prod", "hello").status == 0
    assert len(cloud.entra.asked) == asked + 1, "the second program had the first one's token"
    assert cli("providers", "login", "eu", "--json").json["as"] == "application"
    for secret in (SECRET, *cloud.entra.issued):
        assert secret.encode() not in everything_written(home)


def test_a_token_of_the_environment_is_used_as_it_is(
    cli: Cli, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.entra.issued.append("eyJhbGciOi.from-az-account.get-access-token")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", cloud.entra.token)
    done = add(cli, cloud, "--key-env", "AZURE_OPENAI_AD_TOKEN")
    assert done.status == 0, done.err
    assert cli("providers", "test", "eu").out.count("The token is accepted.") == 1
    assert "authorization" in cloud.server.requests[-1].headers


def test_what_a_sign_in_refuses(cli: Cli, cloud: Cloud, clock: Clock) -> None:
    cloud.entra.refuses["device_code"] = "authorization_declined"
    declined = add(cli, cloud, *cloud.sign_in)
    assert declined.status == 4
    assert "was declined" in declined.err
    assert cli("providers", "list", "--json").json["providers"] == []
    del cloud.entra.refuses["device_code"]
    cloud.entra.interval = 60
    cloud.entra.person = ["authorization_pending"] * 20
    late = add(cli, cloud, *cloud.sign_in)
    assert late.status == 4
    assert "was not used in time" in late.err
    asked = len(cloud.entra.asked)
    dry = add(cli, cloud, *cloud.sign_in, "--dry-run")
    assert dry.status == 0
    assert add(cli, cloud, *cloud.sign_in, "--read-only").status == 3
    assert len(cloud.entra.asked) == asked
    assert add(cli, cloud, "--key-stdin", stdin=KEY).status == 0
    assert "is not used with a sign-in" in cli("providers", "login", "eu").err
    assert cli("providers", "login", "eu", "--read-only").status == 3
