"""What travels between configurations: what a file was found to say, what would be done about it, and what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from catalog.errors import SwitchroomError

if TYPE_CHECKING:
    from catalog.types import Price
    from services.drafts import KeySource, ProviderDraft
    from services.transfer_catalog import VendorFile

Format = Literal["switchroom", "lace", "loquilex", "toml", "json"]
FORMATS: Mapping[Format, str] = {
    "switchroom": "a Switchroom export",
    "lace": "LACE provider instances",
    "loquilex": "LoquiLex providers",
    "toml": "[provider.NAME] tables",
    "json": "a list of providers",
}
"""The formats in words."""

Level = Literal["note", "left out", "refused", "warning"]
"""`note`: taken over, with a difference. `left out`: one value stays behind. `refused`: a whole entry. `warning`: look."""

Value: TypeAlias = bool | int | float | str
Tell: TypeAlias = Callable[[Level, str, "int | None"], None]
"""Takes a remark: how grave, in words, and its line."""


class ImportProblemError(SwitchroomError):
    """The file cannot be imported: it is no configuration that is known here, or it is damaged."""

    code = "import"
    default_title = "Not imported"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the file that the user should know. Never holds a value of the file that may be secret."""

    level: Level
    message: str
    file: Path
    line: int | None = None
    """1 is the first; None: of the whole file."""

    @property
    def place(self) -> str:
        """`providers.toml:12`."""
        return self.file.name if self.line is None else f"{self.file.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class FoundModel:
    """What a file says about one model; None is not said."""

    id: str
    enabled: bool | None = None
    map_to: str | None = None
    cost_mode: str | None = None
    gpu_hour: Decimal | None = None
    price: Price | None = None
    can: Mapping[str, bool] | None = None
    """The user's own word on its abilities."""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    """Its name and limits as they were typed in, by field."""


@dataclass(frozen=True, slots=True)
class FoundProvider:
    """One provider of a file."""

    draft: ProviderDraft
    """Its slug is set."""
    line: int | None
    key: KeySource = None
    key_needed: bool = False
    """True: it is called with a key, which the file may not hold."""
    enabled: bool | None = None
    vendor: str | None = None
    """The catalog provider where the file names dialect and vendor apart; empty: none. None: told from the draft."""
    vendor_file: str | None = None
    """The user-catalog file in the same folder that describes its vendor."""
    secret_headers: Mapping[str, str | None] = field(default_factory=dict)
    """Header → variable with its value; None: to be entered."""
    proxy_needed: bool = False
    """True: its proxy has a password, which the file does not hold."""
    models: tuple[FoundModel, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundLimit:
    """One money limit of a file."""

    scope: str
    period: str
    usd: Decimal
    alert: float
    until: int | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """Everything a file says, read without a look at the store."""

    format: Format
    file: Path
    providers: tuple[FoundProvider, ...] = ()
    limits: tuple[FoundLimit, ...] = ()
    settings: Mapping[str, Value] = field(default_factory=dict)
    """Setting → value."""
    defaults_only: frozenset[str] = frozenset()
    """Settings that are taken over only where they still have their default here."""
    default_model: str | None = None
    catalog_files: Mapping[str, VendorFile] = field(default_factory=dict)
    """Name → user-catalog files that come along."""
    catalog_names: tuple[str, ...] = ()
    """User-catalog files that the configuration rests on and that do not come along."""
    remarks: tuple[Remark, ...] = ()


StepKind = Literal["provider", "key", "model", "limit", "setting", "default model", "catalog file"]
Action = Literal["add", "change", "same", "skip"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the plan."""

    kind: StepKind
    subject: str
    """A slug, a model reference, a limit's scope and period, a setting's name."""
    action: Action
    what: str
    """In words: where it goes, or what becomes of it."""
    reason: str = ""
    """Why it is skipped or stays."""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class KeyToSet:
    """A secret that the user must still enter."""

    provider: str
    what: str
    """`key`, `secret header X-Team`, `proxy password`."""
    why: str
    command: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do, in order."""

    found: Found
    steps: tuple[Step, ...]
    remarks: tuple[Remark, ...]
    keys_to_set: tuple[KeyToSet, ...]
    needs_http: bool = False
    """True: an entry is refused only because it is plain http to a private network."""

    @property
    def changes(self) -> int:
        """Steps that change something."""
        return sum(step.action in ("add", "change") for step in self.steps)

    @property
    def skipped(self) -> int:
        """Entries that cannot be taken over."""
        return sum(step.action == "skip" for step in self.steps)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    plan: Plan
    done: int
    """Steps that were carried out."""
    keys_to_set: tuple[KeyToSet, ...]
    """After it, those included that were refused when they were tried."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A configuration as text."""

    text: str
    format: Format
    providers: int
    left_out: tuple[str, ...] = ()
    """What the text does not say, in words."""
