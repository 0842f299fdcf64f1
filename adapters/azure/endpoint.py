"""Where the calls of an Azure resource go, however its address was pasted: the classic form or v1, and never twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

Form = Literal["classic", "v1"]

CLASSIC_VERSION = "2024-10-21"
"""Of the classic form where only the address says that it is meant: its last stable one."""
LISTING_VERSION = "2023-03-15-preview"
"""The only version under which a resource lists its deployments (WIRE section 6)."""

_DEPLOYMENT = re.compile(r"^(?P<before>.*?)/deployments/(?P<name>[^/]+)(?:/.*)?$", re.IGNORECASE)
_V1 = re.compile(r"^(?P<before>.*?)/v1(?:/.*)?$", re.IGNORECASE)
_CALL = re.compile(
    r"(?:/(?:chat/completions|completions|models|responses|embeddings|deployments))+/*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, or a gateway before it."""

    base: str
    """Up to where the forms part; ends with `/openai`, but at gateways that have it elsewhere."""
    form: Form
    version: str | None
    """Of the classic form."""
    deployment: str | None
    """The one that stands in the pasted address."""

    def url(self, call: str, deployment: str = "") -> str:
        """The address of `chat/completions`, `responses`, …"""
        if self.form == "v1":
            return f"{self.base}/v1/{call}"
        place = f"deployments/{quote(deployment, safe='')}/" if deployment else ""
        return f"{self.base}/{place}{call}?api-version={self.version}"

    @property
    def listing(self) -> str:
        """Where deployments are listed, if at all."""
        return f"{self.base}/deployments?api-version={LISTING_VERSION}"

    @property
    def scope(self) -> str:
        """What a token is asked for (WIRE section 6); clouds of their own have their own (option `scope`)."""
        if self.form == "v1":
            return "https://ai.azure.com/.default"
        return "https://cognitiveservices.azure.com/.default"


def resource(base_url: str, api_version: str | None) -> Resource:
    """What an address and the option `api_version` mean together: the option decides, else the address, else v1."""
    split = urlsplit(base_url.strip())
    path = re.sub(r"/{2,}", "/", split.path).rstrip("/")
    found = _DEPLOYMENT.match(path)
    deployment = unquote(found["name"]) if found else None
    if found or (found := _V1.match(path)):
        path = found["before"]
    else:
        bare = _CALL.sub("", path)
        path = bare if bare.lower().endswith("/openai") else f"{bare}/openai"
    base = f"{split.scheme}://{split.netloc}{path}"
    if api_version not in (None, "", "v1"):
        return Resource(base, "classic", api_version, deployment)
    if deployment is not None and api_version != "v1":
        return Resource(base, "classic", CLASSIC_VERSION, deployment)
    return Resource(base, "v1", None, deployment)
