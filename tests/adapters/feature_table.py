"""docs/providers.md's generated parts: what each dialect can, out of its contract tests, and its options.

`python tests/adapters/feature_table.py` rewrites them; test_feature_table.py fails while they are not current.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "providers.md"
sys.path[:0] = [str(HERE), str(ROOT)]

import contract  # noqa: E402  after the path

from catalog.options import EVERYWHERE, OPTIONS  # noqa: E402

_ORDER = ("openai", "responses", "anthropic", "gemini", "ollama", "azure", "openrouter", "huggingface")
_TITLES = {"responses": "openai, Responses"}


def features() -> dict[str, type]:
    """What is said in the table → the contract class that proves it."""
    return {
        value.FEATURE: value
        for value in vars(contract).values()
        if isinstance(value, type) and hasattr(value, "FEATURE")
    }


def dialects() -> dict[str, type]:
    """Each dialect → its contract tests."""
    found: dict[str, type] = {}
    for file in sorted(HERE.glob("test_contract*.py")):
        module = importlib.import_module(file.stem)
        for name, value in vars(module).items():
            if (
                name.startswith("Test")
                and isinstance(value, type)
                and issubclass(value, contract.AdapterContract)
                and not value.VARIANT
            ):
                found[name.removeprefix("Test").lower()] = value
    found.pop("fake", None)
    unknown = found.keys() - set(_ORDER)
    assert not unknown, f"name {unknown} in _ORDER"
    return {name: found[name] for name in _ORDER if name in found}


def table() -> str:
    """Features down, dialects across."""
    known = dialects()
    names = [_TITLES.get(name, name) for name in known]
    lines = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for feature, proof in features().items():
        marks = ["✓" if issubclass(tests, proof) else "–" for tests in known.values()]
        lines.append(f"| {feature} | {' | '.join(marks)} |")
    return "\n".join(lines)


def options() -> str:
    """The options of every dialect, then each dialect's own, one table each."""
    parts = []
    tables = {"every dialect": EVERYWHERE, **{f"`{dialect}`": known for dialect, known in OPTIONS.items()}}
    for whose, known in tables.items():
        parts.append(f"### {whose}\n\n| option | meaning | such as |\n|---|---|---|")
        parts[-1] += "".join(
            f"\n| `{name}` | {option.means} | {f'`{option.such_as}`' if option.such_as else ''} |"
            for name, option in known.items()
        )
    return "\n\n".join(parts)


def page() -> str:
    """The page with its generated parts made anew."""
    text = PAGE.read_text("utf-8")
    for name, made in (("features", table()), ("options", options())):
        begin, end = f"<!-- {name}: generated -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        assert after, f"the page has no place for {name}"
        text = f"{before}{begin}\n{made}\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
