"""Urgent updates behind a bulk backlog: how long they wait, and what each lane gets of the quota.

``python -m bench.lanes [BULK [HOSTS [SECONDS]]]``. First urgent updates come now and then, then faster than the quota.
"""

import sys
import threading
import time
from statistics import quantiles
from typing import Any

import requests

from bench.load import message, put, users
from bench.quota import full_windows
from emulator.stack import Stack, stack, until

BULK, HOSTS, SECONDS = 5_000, 3, 60
COUNT = 100
#: Urgent updates a second, now and then and faster than the quota of 5.
PHASES = {"now and then": 1 / 3, "all the time": 8.0}


def post_urgent(parts: Stack, rate: float, seconds: float) -> dict[str, float]:
    """POST updates at this rate, to one host after the other; return when each was accepted, by user."""
    posted: dict[str, float] = {}
    pace, start = threading.Event(), time.monotonic()
    for number, user in enumerate(users(int(rate * seconds))):
        pace.wait(max(0.0, start + number / rate - time.monotonic()))
        base_url = parts.hosts[number % len(parts.hosts)].base_url
        posted[user] = time.time()
        requests.post(f"{base_url}/api/updates", json=message(user), timeout=30).raise_for_status()
    return posted


def report(name: str, writes: list[dict[str, Any]], posted: dict[str, float], span: tuple[float, float]) -> None:
    """Print a row of the table from the writes of a phase."""
    within = [write for write in writes if span[0] <= write["start"] < span[1]]
    urgent = {write["userStatusId"]: write["start"] for write in writes}
    waits = sorted(urgent[user] - at for user, at in posted.items() if user in urgent)
    percentiles = quantiles(waits, n=20)
    bulk = sum(write["userStatusId"] not in posted for write in within)
    used = full_windows([write["start"] for write in within]) / COUNT
    print(
        f"{name:13} {len(waits):7} {percentiles[9]:7.2f} {percentiles[18]:7.2f} {waits[-1]:7.2f}"
        f" {used * 100:7.1f} % {bulk / len(within) * 100:7.1f} %"
    )


def main() -> None:
    """Print the table."""
    bulk, hosts, seconds = (int(given) for given in (*sys.argv[1:], *(BULK, HOSTS, SECONDS)[len(sys.argv) - 1 :]))
    with stack(hosts) as parts:
        put(parts, [message(user) for user in users(bulk)], "compliance-updates-bulk")
        until(lambda: len(parts.graph.writes()) > COUNT // 2, 120, "the backlog under way")
        print(f"{bulk} bulk updates, {hosts} hosts, 100 writes in 20 seconds")
        print("urgent          count     p50     p95     max  quota used  bulk's share")
        for name, rate in PHASES.items():
            start = time.time()
            posted = post_urgent(parts, rate, seconds)
            end = time.time()
            if rate < 1:
                threading.Event().wait(10)
            report(name, parts.graph.writes(), posted, (start, end))
        print(f"fullest window {parts.graph.summary()['worstWindow']}")


if __name__ == "__main__":
    main()
