"""How long ``import function_app`` takes beside its SDKs together: fresh processes in turn, medians, one ratio."""

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SDKS = "import azure.functions, azure.identity, azure.storage.queue, azure.data.tables, requests"
APP = "import function_app"
ROUNDS = 15


def seconds(code: str) -> float:
    """One fresh process."""
    env = {**os.environ, "UPDATES_STORAGE": "UseDevelopmentStorage=true"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    taken: dict[str, list[float]] = {"pass": [], SDKS: [], APP: []}
    for _ in range(ROUNDS):
        for code, times in taken.items():
            times.append(seconds(code))
    bare, sdks, app = (statistics.median(times) for times in taken.values())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {ROUNDS} rounds, medians")
    print(f"the five SDKs together   {(sdks - bare) * 1000:6.0f} ms")
    print(f"import function_app      {(app - bare) * 1000:6.0f} ms")
    print(f"ratio                    {(app - bare) / (sdks - bare):6.2f}  (at most 1.20)")


if __name__ == "__main__":
    main()
