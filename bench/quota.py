"""Use of the write quota by 1, 3 and 10 hosts, and with storage 120 ms away: share, 429, the fullest window, calls.

``python -m bench.quota [UPDATES] [HOSTS,MILLISECONDS ...]`` measures these rows alone.
"""

import sys
import time
from contextlib import ExitStack

from bench.distance import distant
from bench.load import drained, message, put, users
from emulator.stack import ROOT, EmulatedGraph, EmulatedIdentity, Host, Stack, app_environment, azurite, started
from emulator.wire_tap import redirected, wire_tap

UPDATES, COUNT, WINDOW = 450, 100, 20
#: Hosts, and the milliseconds that a call to storage takes longer.
ROWS = ((1, 0), (3, 0), (10, 0), (3, 120))


def measure(hosts: int, away: int, updates: int) -> None:
    """One row of the table."""
    with ExitStack() as parts:
        storage = parts.enter_context(azurite())
        graph = parts.enter_context(started(EmulatedGraph()))
        identity = parts.enter_context(started(EmulatedIdentity()))
        tapped, calls = parts.enter_context(wire_tap(storage.ports))
        connection_string = redirected(storage.connection_string, tapped)
        if away:
            far = parts.enter_context(distant(list(tapped.values()), away / 1000))
            connection_string = redirected(connection_string, far)
        env = app_environment(connection_string, graph.base_url) | identity.environment
        running = [Host(ROOT, env) for _ in range(hosts)]
        stack = Stack(storage, graph, identity, running)
        put(stack, [message(user) for user in users(updates)])
        before = calls.app()
        for host in running:
            parts.enter_context(started(host))
        start = time.monotonic()
        drained(stack)
        took = time.monotonic() - start
        summary = graph.summary()
        span = summary["last"][0] - summary["first"][0]
        share = (summary["writes"] / COUNT) / (span / WINDOW)
        windows = full_windows([write["start"] for write in graph.writes()])
        per_update = (calls.app() - before) / updates
        print(
            f"{hosts:5} {away:4} ms {summary['writes']:7} {took:8.1f} {share * 100:7.1f} % {windows:8.1f}"
            f" {summary['worstWindow']:8} {summary['byStatus'].get('429', 0):5} {per_update:8.2f}"
        )


def full_windows(times: list[float]) -> float:
    """The mean number of writes in all 20-second windows that lie within the run."""
    times = sorted(times)
    first, last = times[0], times[-1]
    starts = [first + step / 10 for step in range(int(max(0, last - first - WINDOW) * 10) + 1)]
    counts = [sum(start <= at < start + WINDOW for at in times) for start in starts]
    return sum(counts) / len(counts)


def main() -> None:
    """Print the table."""
    updates = int(sys.argv[1]) if len(sys.argv) > 1 else UPDATES
    rows = [(int(hosts), int(away)) for hosts, away in (row.split(",") for row in sys.argv[2:])] or ROWS
    print(f"quota {COUNT}/{WINDOW} s, {updates} updates of as many users queued")
    print("hosts    away  writes  seconds    share  mean 20 s   worst   429  storage calls an update")
    for hosts, away in rows:
        measure(hosts, away, updates)


if __name__ == "__main__":
    main()
