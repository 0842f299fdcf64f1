"""Where settings come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import UsageError
from services import paths, settings


@pytest.fixture
def places(home: Path) -> paths.Paths:
    found = paths.resolve()
    found.ensure()
    return found


def test_the_environment_wins_over_dotenv_over_the_file_over_defaults(places: paths.Paths) -> None:
    places.config_file.write_text("[retry]\nattempts = 4\nfactor = 3\nmax_delay = 9\n")
    places.env_file.write_text(
        "SWITCHROOM_RETRY__FACTOR=4\nSWITCHROOM_RETRY__MAX_DELAY=8\nOPENAI_API_KEY=sk-x\n"
    )
    found = settings.load(places, {"SWITCHROOM_RETRY__MAX_DELAY": "7", "HOME": "/x"})
    retry = found.retry
    assert (retry.attempts, retry.factor, retry.max_delay, retry.initial_delay) == (4, 4.0, 7.0, 0.5)
    sources = {view.name: view.source for view in settings.describe(found)}
    assert sources["retry.attempts"] == "config.toml"
    assert sources["retry.factor"] == ".env"
    assert sources["retry.max_delay"] == "SWITCHROOM_RETRY__MAX_DELAY"
    assert sources["retry.initial_delay"] == "default"


def test_every_setting_has_a_sentence_and_its_default(places: paths.Paths) -> None:
    for view in settings.describe(settings.load(places, {})):
        assert view.sentence.endswith("."), view.name
        assert view.value == view.default
        assert view.source == "default"


@pytest.mark.parametrize(
    ("environ", "section", "field", "value"),
    [
        ({"SWITCHROOM_OFFLINE": "1"}, "network", "offline", True),
        ({"LX_OFFLINE": "1"}, "network", "offline", True),
        ({"LX_OFFLINE": "1", "SWITCHROOM_OFFLINE": "0"}, "network", "offline", False),
        ({"SWITCHROOM_OFFLINE": ""}, "network", "offline", False),
        ({"SWITCHROOM_READ_ONLY": "true"}, "security", "read_only", True),
        ({"SWITCHROOM_VAULT_KEY_FILE": "/k"}, "security", "vault_key_file", "/k"),
        ({"SWITCHROOM_LOG_LEVEL": "debug"}, "log", "level", "debug"),
        ({"SWITCHROOM_LOG_LEVEL": "DEBUG"}, "log", "level", "debug"),
        ({"SWITCHROOM_NETWORK__IDLE_TIMEOUT": "none"}, "network", "idle_timeout", None),
        ({"SWITCHROOM_CHAT__MAX_TOKENS": ""}, "chat", "max_tokens", None),
    ],
)
def test_variables(
    places: paths.Paths, environ: dict[str, str], section: str, field: str, value: object
) -> None:
    assert getattr(getattr(settings.load(places, environ), section), field) == value


@pytest.mark.parametrize(
    ("toml", "env", "environ", "name", "near"),
    [
        ("[retry]\natempts = 2", "", {}, "retry.atempts", "retry.attempts"),
        ("[rety]\nattempts = 2", "", {}, "rety.attempts", "retry.attempts"),
        ("retries = 2", "", {}, "retries", "retry"),
        ("", "SWITCHROOM_OFLINE=1", {}, "SWITCHROOM_OFLINE", "SWITCHROOM_OFFLINE"),
        (
            "",
            "",
            {"SWITCHROOM_RETRY__ATEMPTS": "2"},
            "SWITCHROOM_RETRY__ATEMPTS",
            "SWITCHROOM_RETRY__ATTEMPTS",
        ),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(
    places: paths.Paths, toml: str, env: str, environ: dict[str, str], name: str, near: str
) -> None:
    places.config_file.write_text(toml)
    places.env_file.write_text(env)
    with pytest.raises(UsageError) as caught:
        settings.load(places, environ)
    assert name in caught.value.message
    assert caught.value.hint == f"Did you mean {near}?"


@pytest.mark.parametrize(
    ("toml", "environ"),
    [
        ("[retry]\nattempts = 'canary-value'", {}),
        ("[retry]\nattempts = 99", {}),
        ("[network]\nproxy = 5", {}),
        ("[security]\nbackend = 'canary-value'", {}),
        ("[retry\ncanary-value", {}),
        ("", {"SWITCHROOM_LOG__LEVEL": "canary-value"}),
        ("", {"SWITCHROOM_OFFLINE": "canary-value"}),
    ],
)
def test_a_value_that_does_not_fit_is_refused_without_showing_it(
    places: paths.Paths, toml: str, environ: dict[str, str]
) -> None:
    places.config_file.write_text(toml)
    with pytest.raises(UsageError) as caught:
        settings.load(places, environ)
    assert "canary" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_home_moves_everything_and_is_private(places: paths.Paths, home: Path) -> None:
    for folder in (places.config, places.data, places.cache, places.logs):
        assert folder.parent == home
        assert folder.stat().st_mode & 0o777 == 0o700


def test_home_in_dotenv_comes_too_late(places: paths.Paths) -> None:
    places.env_file.write_text("SWITCHROOM_HOME=/elsewhere\n")
    with pytest.raises(UsageError, match="too late"):
        settings.load(places, {})


def test_a_proxy_password_is_not_described(places: paths.Paths) -> None:
    found = settings.load(places, {"SWITCHROOM_NETWORK__PROXY": "http://u:canary-pass@proxy.example:3128"})
    view = next(view for view in settings.describe(found) if view.name == "network.proxy")
    assert "canary-pass" not in str(view)
    assert "canary-pass" not in repr(found)
