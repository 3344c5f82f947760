"""Memory of one host over 10,000 updates, no quota: resident size after every 1,000."""

import sys
from pathlib import Path

from bench.load import drained, message, put, users
from emulator.stack import stack

UPDATES, STEP = 10_000, 1_000


def resident(pid: int) -> float:
    """Resident set of a process in MiB; Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def main() -> None:
    """Print the table."""
    updates = int(sys.argv[1]) if len(sys.argv) > 1 else UPDATES
    print("updates  RSS MiB")
    sizes = []
    with stack(1, GRAPH_WRITE_QUOTA="5000/1") as parts:
        parts.graph.config(quota=None)
        for done in range(STEP, updates + 1, STEP):
            put(parts, [message(user) for user in users(STEP)])
            drained(parts, 900)
            sizes.append(resident(parts.hosts[0].pid))
            print(f"{done:7} {sizes[-1]:8.1f}", flush=True)
    print(f"last beside the {2 * STEP}th: {sizes[-1] / sizes[min(1, len(sizes) - 1)]:.3f}")


if __name__ == "__main__":
    main()
