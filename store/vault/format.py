"""The vault's bytes: a readable header, one sealed box, a checksum over all.

`SWVAULT1`, the header's length (4 bytes, big endian), the header (JSON), a nonce (12), the box, SHA-256 of all that.
The header and the nonce are authenticated with the box; the checksum tells damage from a wrong passphrase.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from catalog.errors import StoreError

MAGIC = b"SWVAULT1"
_NONCE = 12
_SUM = 32
_COST = {"n": 2**16, "r": 8, "p": 2}
"""scrypt: 64 MiB and about a third of a second, as OWASP recommends for this much memory."""
_MOST = {"n": 2**20, "r": 32, "p": 16}
"""What a file may ask for: a forged header must not eat the machine."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a passphrase becomes. Never shown, never written."""

    salt: bytes
    box: bytes = field(repr=False)
    check: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Header:
    """How the box was sealed."""

    n: int
    r: int
    p: int
    salt: bytes
    check: bytes
    """Tells a wrong passphrase from a forged box; empty in a header that was not written yet."""

    def derive(self, passphrase: SecretStr) -> Keys:
        """The keys for a passphrase: slow, and 64 MiB, so never on the event loop."""
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        kdf = Scrypt(salt=self.salt, length=64, n=self.n, r=self.r, p=self.p)
        derived = kdf.derive(passphrase.get_secret_value().encode("utf-8", "surrogatepass"))
        return Keys(
            self.salt, derived[:32], hashlib.sha256(b"switchroom vault check" + derived[32:]).digest()
        )


def new_header() -> Header:
    return Header(**_COST, salt=os.urandom(32), check=b"")


def seal(header: Header, keys: Keys, entries: dict[str, str]) -> bytes:
    """The whole file."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    document = {
        "version": 1,
        "kdf": "scrypt",
        "n": header.n,
        "r": header.r,
        "p": header.p,
        "salt": base64.b64encode(header.salt).decode(),
        "check": base64.b64encode(keys.check).decode(),
        "aead": "chacha20-poly1305",
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    opening = MAGIC + len(text).to_bytes(4, "big") + text + os.urandom(_NONCE)
    content = json.dumps({"entries": entries}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    sealed = opening + ChaCha20Poly1305(keys.box).encrypt(opening[-_NONCE:], content, opening)
    return sealed + hashlib.sha256(sealed).digest()


def read_header(content: bytes, path: Path) -> Header:
    """The header of a whole, undamaged file; StoreError otherwise."""
    if not content.startswith(MAGIC):
        raise _damaged(path)
    if hashlib.sha256(content[:-_SUM]).digest() != content[-_SUM:]:
        raise _damaged(path)
    try:
        document: dict[str, Any] = json.loads(content[len(MAGIC) + 4 : _opening_length(content) - _NONCE])
        if document["version"] != 1:
            raise StoreError(
                f"The vault {path} was written by a newer Switchroom.", hint="Update Switchroom."
            )
        cost = {name: int(document[name]) for name in _COST}
        header = Header(
            **cost, salt=base64.b64decode(document["salt"]), check=base64.b64decode(document["check"])
        )
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    if any(not 1 <= cost[name] <= most for name, most in _MOST.items()) or header.n & (header.n - 1):
        raise _damaged(path)
    return header


def open_sealed(keys: Keys, content: bytes, path: Path) -> dict[str, str]:
    """The entries. The keys must be those of its header; then what does not open was forged."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    length = _opening_length(content)
    opening, box = content[:length], content[length:-_SUM]
    try:
        entries = json.loads(ChaCha20Poly1305(keys.box).decrypt(opening[-_NONCE:], box, opening))["entries"]
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    return {str(name): str(value) for name, value in entries.items()}


def _opening_length(content: bytes) -> int:
    return len(MAGIC) + 4 + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 4], "big") + _NONCE


def _damaged(path: Path) -> StoreError:
    return StoreError(
        f"The vault {path} is damaged or was changed by something else; it was left as it is.",
        hint="Restore the file from a backup, or move it away and set the keys again.",
    )
