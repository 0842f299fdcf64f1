"""What the user is told about adapters of other packages that cannot be used: once, and never in the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from services.feed import Alert

if TYPE_CHECKING:
    from services.container import Services


async def tell_broken(services: Services) -> None:
    """One alert for all of them; nothing where there are none."""
    from adapters.loader import plugins

    broken = [plugin for plugin in await asyncio.to_thread(plugins) if plugin.problem]
    if not broken:
        return
    first = broken[0]
    more = f" And {len(broken) - 1} more." if len(broken) > 1 else ""
    title = "A plug-in is not used" if len(broken) == 1 else f"{len(broken)} plug-ins are not used"
    services.feed.publish(
        Alert(
            "warning",
            title,
            f"{first.package}: {first.problem}{more}",
            hint="switchroom health names them all",
        )
    )
