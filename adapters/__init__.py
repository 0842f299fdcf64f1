"""The wire: what speaks to providers. Importing this costs nothing."""

import sys

# httpx tries to import its own command line and with it Rich: nothing below the terminal UI may load that.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
