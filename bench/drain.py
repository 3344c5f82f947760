"""Draining a backlog without a quota, beside a plain function in the same run: what reliability costs."""

import sys
import time

from bench.load import drained, message, put, users
from emulator.stack import ROOT, Host, stack, started

UPDATES = 2_000


def measure(name: str, updates: int) -> float:
    """Seconds from the host's start to the empty queue; one row of the table."""
    app = ROOT if name == "relay" else ROOT / "bench" / "plain"
    with stack(0) as parts:
        parts.graph.config(quota=None)
        put(parts, [message(user) for user in users(updates)])
        env = parts.environment() | {"UPDATES_QUEUE": "compliance-updates", "GRAPH_WRITE_QUOTA": "5000/1"}
        start = time.monotonic()
        with started(Host(app, env)):
            drained(parts, 1800)
        took = time.monotonic() - start
        assert len(parts.graph.statuses()) == updates
    print(f"{name:6} {took:8.1f} {updates / took:10.1f}")
    return took


def main() -> None:
    """Print the table."""
    updates = int(sys.argv[1]) if len(sys.argv) > 1 else UPDATES
    print(f"{updates} updates of as many users, one host, no quota")
    print("app     seconds  a second")
    plain, relay = measure("plain", updates), measure("relay", updates)
    print(f"ratio  {relay / plain:8.2f}")


if __name__ == "__main__":
    main()
