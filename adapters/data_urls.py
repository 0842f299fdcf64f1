"""An image as the data URL that several vendors take it as."""

from __future__ import annotations

import base64

from adapters.events import Image


def data_url(image: Image) -> str:
    """`data:image/png;base64,…`."""
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
