"""What needs a look now, asked for away from the Overview too, and where enter on it leads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.messages import AlertLine
from tui.screens.overview_lines import alert_lines

if TYPE_CHECKING:
    from services.container import Services
    from tui.app import SwitchroomApp
    from tui.screens.base import ModeScreen


async def standing(services: Services) -> list[AlertLine]:
    """The alerts that the Overview shows, the worst first, without the messages."""
    from services.overview import catalog_news, price_rises

    views = await services.registry.list()
    limits = await services.usage.limits()
    rises = await price_rises(services, views)
    return alert_lines(views, limits, rises, [], int(time.time() * 1000), await catalog_news(services))


def open_alert(app: SwitchroomApp, alert: AlertLine, mode: str) -> None:
    """Go where the alert can be mended; esc leads back to this mode."""
    page: ModeScreen
    if alert.kind == "price":
        from tui.screens.sync_detail import SyncDetail

        page = SyncDetail(alert.target)
    elif alert.kind == "catalog":
        from tui.screens.catalog_changes import CatalogChanges

        page = CatalogChanges()
    elif alert.target:
        from tui.screens.provider_detail import ProviderDetail

        page = ProviderDetail(alert.target)
    else:
        app.action_mode("usage")
        return
    page.MODE = mode  # type: ignore[misc]
    app.push_screen(page)
