"""What is committed names no machine, and stays in small pieces."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("catalog", "adapters", "store", "services", "cli", "tui")


def committed() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_no_machine_path_or_registry_host_is_committed() -> None:
    words = re.compile(
        "|".join(
            ("/" + r"work/", "file:" + "///opt", r"pypi" + r"\.org", r"registry\." + "npmjs", "/" + "root/")
        )
    )
    found = {
        f"{path.relative_to(ROOT)}: {hit.group(0)}"
        for path in committed()
        if path.suffix not in {".svg", ".png"}
        if (hit := words.search(path.read_text(errors="replace")))
    }
    assert not found


def test_no_two_test_files_have_one_name() -> None:
    """Two of one name cannot be collected together: the whole suite would not run."""
    names = Counter(path.name for path in committed() if path.name.startswith("test_"))
    assert [name for name, count in names.items() if count > 1 and name.endswith(".py")] == []


def test_files_stay_small() -> None:
    """About 300 lines is a sign to split; 400 is too long."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in committed()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_every_package_module_opens_with_the_decision_it_owns() -> None:
    bare = [
        str(path.relative_to(ROOT))
        for path in committed()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
        if path.name != "__init__.py" and not path.read_text().startswith('"""')
    ]
    assert not bare
