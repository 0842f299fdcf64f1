"""An image as text: base64, or the data URL that several vendors take it as."""

from __future__ import annotations

import base64

from adapters.events import Image
from adapters.json_body import Plain


def base64_of(image: Image) -> str:
    """The image's bytes as base64."""
    return Plain(base64.b64encode(image.data).decode("ascii"))


def data_url(image: Image) -> str:
    """`data:image/png;base64,…`."""
    url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode('ascii')}"
    return Plain(url) if image.media_type.isascii() and not set(image.media_type) & set('"\\') else url
