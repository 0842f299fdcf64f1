"""Every setting there is: its sentence, its default and what it takes.

Plain frozen dataclasses, read and checked by `services.settings`: every command starts with them, and building
a pydantic model would cost more than all the rest of that start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

LONGEST = 86_400
"""Seconds that any timeout may have at most."""


def setting(
    default: Any,
    sentence: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    secret: bool = False,
) -> Any:
    """A field with its sentence and range: `low` ≤ value ≤ `high`, `above` < value. `secret` keeps it out of reprs."""
    limits = {"low": low, "high": high, "above": above}
    return field(default=default, repr=not secret, metadata={"sentence": sentence, **limits})


@dataclass(frozen=True, slots=True)
class Network:
    """How the wire is used."""

    connect_timeout: float = setting(10.0, "Seconds to wait for a connection.", above=0, high=LONGEST)
    first_event_timeout: float | None = setting(
        120.0,
        "Seconds from sending a request to its first event; none waits for ever.",
        above=0,
        high=LONGEST,
    )
    idle_timeout: float | None = setting(
        120.0, "Seconds between two events of a stream; none waits for ever.", above=0, high=LONGEST
    )
    total_timeout: float | None = setting(
        None, "Seconds for a whole stream; none sets no limit.", above=0, high=LONGEST
    )
    tls_min: Literal["1.2", "1.3"] = setting(
        "1.2", "Lowest TLS version for endpoints you name; the built-in vendors' use 1.3."
    )
    proxy: str | None = setting(
        None, "Proxy URL for every provider without its own; none uses the environment's.", secret=True
    )
    ca_file: str | None = setting(
        None, "PEM file of a private CA for every provider without its own; none uses the public ones."
    )
    offline: bool = setting(False, "Start offline: no connection leaves the allowed scope.")
    offline_private: bool = setting(
        False, "While offline, private networks may be reached too, not only this machine."
    )


@dataclass(frozen=True, slots=True)
class Retry:
    """How a failed attempt is tried again."""

    attempts: int = setting(3, "Attempts for one run, the first included.", low=1, high=20)
    initial_delay: float = setting(0.5, "Seconds before the second attempt.", low=0, high=600)
    factor: float = setting(2.0, "By how much each further wait is longer.", low=1, high=10)
    max_delay: float = setting(30.0, "Longest wait in seconds.", low=0, high=3600)
    jitter: float = setting(0.25, "Share of a wait that is left to chance.", low=0, high=1)


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """How model lists are fetched."""

    at_start: bool = setting(True, "Sync the providers that are set to it when the program starts.")
    concurrency: int = setting(32, "Providers fetched at the same time.", low=1, high=64)
    timeout: float = setting(30.0, "Seconds for one provider's sync, retries included.", high=30, above=0)


@dataclass(frozen=True, slots=True)
class Chat:
    """What a new chat starts with."""

    max_tokens: int | None = setting(
        None, "Longest answer in tokens; none leaves it to the model.", low=1, high=1_000_000_000
    )
    temperature: float | None = setting(None, "Temperature; none leaves it to the model.", low=0, high=2)
    exact_counts: Literal["asked", "typing", "off"] = setting(
        "asked",
        "When vendors that do it for free count a prompt, and see it then: where an estimate is asked for (`switchroom"
        " estimate`, E in Models), also in Chat after a pause in typing, or never.",
    )
    tool_rounds: int = setting(
        8, "How often in a row mocked tools answer the model by themselves; 0 never.", low=0, high=100
    )


@dataclass(frozen=True, slots=True)
class Security:
    """Where keys are kept and what may be changed."""

    backend: Literal["auto", "keyring", "vault", "file"] = setting(
        "auto", "Where new keys go; auto takes the OS keyring where one answers, else the vault."
    )
    vault_key_file: str | None = setting(None, "File (0600) with the vault's passphrase; none asks for it.")
    read_only: bool = setting(False, "Refuse every change.")


@dataclass(frozen=True, slots=True)
class Discovery:
    """What is looked for by itself."""

    at_start: Literal["auto", "ask", "off"] = setting(
        "auto", "Whether providers found in the environment are added, offered, or not looked for."
    )
    loopback: bool = setting(True, "Look for model servers on this machine when providers are looked for.")


@dataclass(frozen=True, slots=True)
class CatalogSettings:
    """Where newer facts about vendors and models come from."""

    refresh: Literal["auto", "off"] = setting(
        "auto", "Whether the sources below are asked for newer facts while the program is open."
    )
    every_hours: float = setting(24.0, "Hours between two looks at the sources.", low=1, high=8760)
    catwalk: str | None = setting(
        "https://catwalk.charm.land", "Address of a Catwalk service; none leaves it out."
    )
    modelsdev: str | None = setting(
        "https://models.dev/api.json", "Address of the models.dev list; none leaves it out."
    )
    genai: str | None = setting(
        "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json",
        "Address of the genai-prices data; none leaves it out.",
    )
    openrouter: str | None = setting(
        "https://openrouter.ai/api/v1/models", "Address of OpenRouter's public list; none leaves it out."
    )


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the screen looks."""

    theme: Literal["dark", "light", "ansi"] = setting(
        "dark", "Colours of the screen; ansi uses only the terminal's own."
    )
    low_bandwidth: Literal["auto", "on", "off"] = setting(
        "auto", "Send fewer bytes to the terminal; auto does so over SSH."
    )
    ascii: Literal["auto", "on", "off"] = setting(
        "auto", "Draw with ASCII characters only; auto does so where the terminal knows no others."
    )
    animations: bool = setting(True, "Let things move.")
    screen_reader: bool = setting(
        False,
        "For a screen reader: nothing moves, no lines around things, charts as tables, words for signs.",
    )


@dataclass(frozen=True, slots=True)
class Log:
    """What is written to the log file."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "warning", "Least important message that is written to logs/."
    )


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """What is proposed for limits."""

    monthly_proposal: float = setting(50.0, "Monthly limit in USD that the add wizard proposes.", above=0)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What the audit log holds besides changes."""

    interactions: bool = setting(
        True, "Record each exchange with a provider: its metadata, never its content."
    )


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """How often vendors are asked what was used and billed."""

    pull: Literal["auto", "off"] = setting(
        "auto", "Whether accounts are read by themselves while the program is open."
    )
    every_hours: float = setting(6.0, "Hours between two looks at an account.", low=1, high=168)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Made by `services.settings.load`."""

    network: Network = Network()
    retry: Retry = Retry()
    sync: SyncSettings = SyncSettings()
    chat: Chat = Chat()
    security: Security = Security()
    discovery: Discovery = Discovery()
    catalog: CatalogSettings = CatalogSettings()
    appearance: Appearance = Appearance()
    log: Log = Log()
    budget: BudgetSettings = BudgetSettings()
    audit: AuditSettings = AuditSettings()
    account: AccountSettings = AccountSettings()
    keys: dict[str, str] = field(default_factory=dict)
    """Action id → the keys that do it, with commas; empty: none. An action that is absent has its own keys."""
    sources: dict[str, str] = field(default_factory=dict, compare=False)
    """Setting name → where its value came from; a name that is absent has its default."""


SECTIONS: dict[str, type[Any]] = {
    "network": Network,
    "retry": Retry,
    "sync": SyncSettings,
    "chat": Chat,
    "security": Security,
    "discovery": Discovery,
    "catalog": CatalogSettings,
    "appearance": Appearance,
    "log": Log,
    "budget": BudgetSettings,
    "audit": AuditSettings,
    "account": AccountSettings,
}
"""The sections, as files and variables name them."""

KEYS = "keys"
"""The section of the configuration file whose names are ids of actions, known to the terminal program only."""
