"""Every setting there is: its sentence, its default and what it takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Tls = Literal["1.2", "1.3"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Network(_Section):
    """How the wire is used."""

    connect_timeout: Seconds = Field(default=10.0, description="Seconds to wait for a connection.")
    first_event_timeout: Seconds | None = Field(
        default=120.0, description="Seconds from sending a request to its first event; none waits for ever."
    )
    idle_timeout: Seconds | None = Field(
        default=120.0, description="Seconds between two events of a stream; none waits for ever."
    )
    total_timeout: Seconds | None = Field(
        default=None, description="Seconds for a whole stream; none sets no limit."
    )
    tls_min: Tls = Field(
        default="1.2", description="Lowest TLS version for endpoints you name; the built-in vendors' use 1.3."
    )
    proxy: str | None = Field(
        default=None,
        repr=False,
        description="Proxy URL for every provider without its own; none uses the environment's.",
    )
    ca_file: str | None = Field(
        default=None,
        description="PEM file of a private CA for every provider without its own; none uses the public ones.",
    )
    offline: bool = Field(default=False, description="Start offline: no connection leaves the allowed scope.")
    offline_private: bool = Field(
        default=False,
        description="While offline, private networks may be reached too, not only this machine.",
    )


class Retry(_Section):
    """How a failed attempt is tried again."""

    attempts: int = Field(default=3, ge=1, le=20, description="Attempts for one run, the first included.")
    initial_delay: float = Field(default=0.5, ge=0, le=600, description="Seconds before the second attempt.")
    factor: float = Field(default=2.0, ge=1, le=10, description="By how much each further wait is longer.")
    max_delay: float = Field(default=30.0, ge=0, le=3600, description="Longest wait in seconds.")
    jitter: float = Field(default=0.25, ge=0, le=1, description="Share of a wait that is left to chance.")


class SyncSettings(_Section):
    """How model lists are fetched."""

    at_start: bool = Field(
        default=True, description="Sync providers set to `start` when the screen has opened."
    )
    concurrency: int = Field(default=8, ge=1, le=64, description="Providers fetched at the same time.")
    timeout: float = Field(
        default=30.0, gt=0, le=30, description="Seconds for one provider's sync, retries included."
    )


class Chat(_Section):
    """What a new chat starts with."""

    max_tokens: int | None = Field(
        default=None, ge=1, description="Longest answer in tokens; none leaves it to the model."
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="Temperature; none leaves it to the model."
    )


class Security(_Section):
    """Where keys are kept and what may be changed."""

    backend: Literal["auto", "keyring", "vault", "file"] = Field(
        default="auto",
        description="Where new keys go; auto takes the OS keyring where one answers, else the vault.",
    )
    vault_key_file: str | None = Field(
        default=None, description="File (0600) with the vault's passphrase; none asks for it."
    )
    read_only: bool = Field(default=False, description="Refuse every change.")


class Discovery(_Section):
    """What is looked for by itself."""

    at_start: Literal["auto", "ask", "off"] = Field(
        default="auto",
        description="Whether providers found in the environment are added, offered, or not looked for.",
    )


class Appearance(_Section):
    """How the screen looks."""

    theme: str = Field(default="dark", description="Name of the colour theme.")
    low_bandwidth: Literal["auto", "on", "off"] = Field(
        default="auto", description="Send fewer bytes to the terminal; auto does so over SSH."
    )
    ascii: bool = Field(default=False, description="Draw with ASCII characters only.")
    animations: bool = Field(default=True, description="Let things move.")


class Log(_Section):
    """What is written to the log file."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="Least important message that is written to logs/."
    )

    @field_validator("level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


class BudgetSettings(_Section):
    """What is proposed for limits."""

    monthly_proposal: float = Field(
        default=50.0, gt=0, description="Monthly limit in USD that the add wizard proposes."
    )


class AuditSettings(_Section):
    """What the audit log holds besides changes."""

    interactions: bool = Field(
        default=True, description="Record each exchange with a provider: its metadata, never its content."
    )


class Settings(BaseModel):
    """All settings, frozen. Made by `services.settings.load`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    network: Network = Network()
    retry: Retry = Retry()
    sync: SyncSettings = SyncSettings()
    chat: Chat = Chat()
    security: Security = Security()
    discovery: Discovery = Discovery()
    appearance: Appearance = Appearance()
    log: Log = Log()
    budget: BudgetSettings = BudgetSettings()
    audit: AuditSettings = AuditSettings()

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    """Setting name → where its value came from; a name that is absent has its default."""
