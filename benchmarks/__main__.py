"""`make bench`: runs every benchmark in a process of its own. `BENCH_ARGS="stream_client cli"` runs only those named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    available = sorted(path.stem for path in HERE.glob("bench_*.py"))
    wanted = [f"bench_{name.removeprefix('bench_')}" for name in sys.argv[1:]] or available
    unknown = [name for name in wanted if name not in available]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(available)}", file=sys.stderr)
        return 2
    failed = [
        name
        for name in wanted
        if subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, check=False
        ).returncode
    ]
    if failed:
        print(f"did not end well: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
