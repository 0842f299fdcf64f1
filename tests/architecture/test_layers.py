"""Dependencies point down, and what must not be imported is not: seen in a fresh interpreter's `sys.modules`."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def modules_after(statement: str) -> set[str]:
    """The names of all modules that a fresh interpreter holds after the statement."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def every_module(package: str) -> str:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__main__.py"
    ]
    return "import " + ", ".join(name.removesuffix(".__init__") for name in names)


@pytest.mark.parametrize("package", ["catalog", "adapters", "store", "services", "cli"])
def test_nothing_below_tui_needs_textual_or_rich(package: str) -> None:
    # Not "is not loaded": httpx loads rich for a command of its own wherever it finds it.
    modules_after(f"import sys\nsys.modules['textual'] = sys.modules['rich'] = None\n{every_module(package)}")


@pytest.mark.parametrize("package", ["catalog", "store", "services", "cli", "tui"])
def test_only_adapters_can_open_a_socket(package: str) -> None:
    doors = {"httpx", "httpcore", "socket", "ssl", "urllib.request", "http.client", "asyncio.open_connection"}
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported(node)
        if name in doors
    }
    assert not found


def imported(node: ast.AST) -> list[str]:
    """The names that an import statement, or a dotted use, reaches."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        case ast.Attribute(value=ast.Name()):
            return [ast.unparse(node)]
        case _:
            return []


def test_catalog_imports_the_standard_library_and_pydantic_only() -> None:
    loaded = {name.split(".")[0] for name in modules_after(every_module("catalog"))}
    assert not loaded & {"httpx", "aiosqlite", "keyring", "cryptography", "click", "platformdirs", "dotenv"}


def test_the_help_of_the_command_line_imports_nothing_heavy() -> None:
    loaded = modules_after(
        "import sys\nsys.argv = ['switchroom', '--help']\nimport cli.main\n"
        "try:\n    cli.main.main()\nexcept SystemExit:\n    pass"
    )
    assert not {name.split(".")[0] for name in loaded} & {
        "httpx",
        "aiosqlite",
        "keyring",
        "pydantic",
        "textual",
        "cryptography",
    }


def test_the_program_shows_its_first_frame_without_the_wire_or_the_keyring() -> None:
    loaded = {name.split(".")[0] for name in modules_after("import tui.app, tui.screens.providers")}
    assert not loaded & {"keyring", "httpx", "markdown_it", "pygments"}
