"""An import and an export as raw keys: from the palette to the last key still to set."""

from __future__ import annotations

import json
from pathlib import Path

from pty_stage import ESC, go, program, walk


def test_an_import_from_the_palette_and_an_export_after_it(tmp_path: Path) -> None:
    user = tmp_path / "user"
    (user / ".lace").mkdir(parents=True)
    instances = {"work": {"displayName": "Work", "catalogProviderId": "groq"}}
    (user / ".lace" / "provider-instances.json").write_text(
        json.dumps({"version": "1.0", "instances": instances})
    )
    out = tmp_path / "out.json"
    with program("imports", tmp_path / "home", HOME=str(user)) as terminal:
        terminal.until("Welcome to Switchroom")
        steps = (
            go(":", "Do what?"),
            go("import conf", on="Import configuration"),
            go("\r", "another file", on="~/.lace/provider-instances.json"),
            go("\r", "LACE provider instances: 1 change", on="groq at https://api.groq.com"),
            go("\r", "1 key still to set", on="the file holds none"),
            go("\r", "Key of work", on="Paste a new key"),
            go(ESC, "1 key still to set"),
            go(ESC, "Imported 1 change"),
            go(":", "Do what?"),
            go("export conf", on="Export configuration"),
            go("\r", "Export the configuration"),
            go("2", "Export to which file?"),
            go(b"\x15", gone="provider-instances.json"),
            go(str(out), "out.json"),
            go("\r", "1 provider written"),
        )
        walk(terminal, steps)
    assert json.loads(out.read_text())["instances"] == {"work": instances["work"]}
