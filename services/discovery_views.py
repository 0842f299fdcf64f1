"""What discovery found: frozen findings that name variables and addresses, and never hold a key."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from services.drafts import ProviderDraft
    from services.environment import Source

Kind = Literal["clear", "offered", "ambiguous", "incomplete"]
"""`clear` is added by itself, `offered` when the user says so, `ambiguous` when they say what it is; something is
missing from what is `incomplete`."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a variable may be for."""

    label: str
    type: str | None
    """As `--type` takes it; None: told from the address."""
    url: str | None
    slug: str
    supported: bool = True
    allow_http: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """Of the dialect, as variables say them."""

    def draft(self, slug: str | None = None, name: str | None = None) -> ProviderDraft:
        """The provider it would be."""
        from services.drafts import ProviderDraft

        return ProviderDraft(
            slug=slug,
            type=self.type,
            url=self.url,
            name=name,
            allow_http=self.allow_http or None,
            options=dict(self.options) or None,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is or may be a provider."""

    kind: Kind
    source: Source
    name: str
    """The vendor's or server's name, or the variable's where it is not known what it is for."""
    why: str
    """In words, ending without a full stop."""
    options: tuple[Option, ...] = ()
    """What it is; several where it is ambiguous, none where something is missing."""
    key_name: str = ""
    """The variable that holds the key; empty: called without one."""
    key_last4: str | None = None
    """How the key ends, as it may be shown."""
    path: str = ""
    """The file the variables are in; empty for the environment."""
    catalog_id: str | None = None
    dialect: str = "openai"
    endpoint: str = ""
    address_name: str = ""
    """The variable that says the endpoint; empty where it is the vendor's own."""
    missing: str = ""
    """What has to be set before it can be used."""
    unsupported: str = ""
    """Why it cannot be used yet, in words; empty: it can."""
    configured: str = ""
    """The provider that is this already."""
    declined: bool = False
    """It was added once and taken away: it is not added by itself again."""

    @property
    def supported(self) -> bool:
        """True when this version can speak with it."""
        return not self.unsupported

    @property
    def wants_key(self) -> bool:
        """True for a server that somebody has to type a key for."""
        return self.source == "loopback" and bool(self.missing)

    @property
    def key_ref(self) -> str | None:
        """`env:NAME`; None without a key. What is in a folder's file cannot be referred to."""
        return f"env:{self.key_name}" if self.key_name and self.source != "folder" else None

    @property
    def id(self) -> str:
        """What it is remembered by: its variable and address, or its name where there is neither."""
        return f"{self.source if self.source == 'folder' else ''}{self.key_name}@{self.endpoint or self.name}"

    @property
    def slug(self) -> str:
        """The proposed slug; empty where it is not known what it is."""
        return self.options[0].slug if len(self.options) == 1 else ""

    @property
    def adds(self) -> bool:
        """True when it is added by itself, or with `--apply`."""
        return self.kind == "clear" and self.supported and not self.configured

    @property
    def open(self) -> bool:
        """True when the user can still make a provider of it."""
        return (
            bool(self.options)
            and not self.configured
            and self.supported
            and any(option.supported for option in self.options)
        )

    @property
    def state(self) -> str:
        """In one or two words, for a table."""
        if self.configured:
            return "configured"
        if self.unsupported:
            return "not yet"
        return {"clear": "adds", "offered": "offered", "ambiguous": "ambiguous", "incomplete": "incomplete"}[
            self.kind
        ]

    @property
    def commands(self) -> tuple[str, ...]:
        """Ready command lines that settle it; none for what is there already or cannot be used yet."""
        if self.configured or self.unsupported or (self.source == "folder" and self.key_name):
            return ()
        return tuple(self._command(option) for option in self.options if option.supported)

    def _command(self, option: Option) -> str:
        words = ["switchroom", "providers", "add", option.slug]
        words += ["--type", option.type] if option.type else []
        words += ["--url", option.url] if option.url else []
        words += ["--key-env", self.key_name] if self.key_name else ["--key-stdin"] if self.wants_key else []
        words += ["--allow-http"] if option.allow_http else []
        return " ".join(shlex.quote(word) for word in words)


@dataclass(frozen=True, slots=True)
class Report:
    """One look around."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """Files that could not be read, and those that others can read."""
    first: bool = False
    """True as long as this store was never looked around for."""
    added: tuple[str, ...] = ()
    """Slugs that were added by themselves in this session."""
    new: tuple[str, ...] = ()
    """Ids of what is offered and was never told of before."""

    @property
    def adds(self) -> tuple[Finding, ...]:
        """What is added by itself."""
        return tuple(found for found in self.findings if found.adds)

    @property
    def offers(self) -> tuple[Finding, ...]:
        """What the user can still add."""
        return tuple(found for found in self.findings if found.open)
