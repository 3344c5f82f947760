"""Conflation: 50 updates for each of 100 users, shuffled. Writes sent, and the time that takes at the quota."""

import random
import sys
import time

from bench.load import drained, message, put, users
from emulator.stack import stack

UPDATES_EACH, USERS, QUOTA = 50, 100, "100/20"


def main() -> None:
    """Print the table."""
    each = int(sys.argv[1]) if len(sys.argv) > 1 else UPDATES_EACH
    everyone = users(USERS)
    updates = [message(user, n) for user in everyone for n in range(each)]
    random.Random(1).shuffle(updates)
    with stack(2, GRAPH_WRITE_QUOTA=QUOTA) as parts:
        start = time.monotonic()
        put(parts, updates)
        queued = time.monotonic()
        drained(parts, 1800)
        writes = parts.graph.summary()["writes"]
        span = parts.graph.summary()["last"][0] - parts.graph.summary()["first"][0]
        newest = sum(status["devicesCount"] == each - 1 for status in parts.graph.statuses().values())
    print(f"quota {QUOTA} s, 2 hosts, {len(updates)} updates of {USERS} users, queued in {queued - start:.0f} s")
    print(" writes  without conflation  writing for  all final after  users with their newest value")
    print(f"{writes:7} {len(updates):19} {span:10.1f} s {time.monotonic() - start:14.1f} s {newest:20} of {USERS}")


if __name__ == "__main__":
    main()
