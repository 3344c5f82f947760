"""What a throttled identity endpoint costs the API: the times of POST and GET beside those of a host that is well.

The endpoint of one host answers 429 with ``Retry-After: 300`` while its readiness is asked once a second. Both hosts
get the same requests in turn: ``python -m bench.readiness [seconds]``, 600 for the ten minutes of an outage.
"""

import statistics
import sys
import threading
import time

import requests

from bench.load import message, users
from emulator.stack import ROOT, EmulatedIdentity, Host, Stack, stack, started

SECONDS = 600
_POLL_SECONDS = 1.0


def poll(base_url: str, over: threading.Event, statuses: list[int]) -> None:
    """Ask for readiness as a load balancer does."""
    while not over.wait(_POLL_SECONDS):
        statuses.append(requests.get(f"{base_url}/api/health/ready", timeout=30).status_code)


def timed(method: str, url: str, body: object = None) -> tuple[float, str]:
    """Return how long a request took, and the id in its answer."""
    start = time.monotonic()
    answer = requests.request(method, url, json=body, timeout=60)
    answer.raise_for_status()
    return time.monotonic() - start, answer.json()["id"]


def measure(hosts: dict[str, Host], seconds: float) -> dict[str, dict[str, list[float]]]:
    """Return the times of each host, by what was asked."""
    times: dict[str, dict[str, list[float]]] = {name: {"POST": [], "GET": []} for name in hosts}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name, host in hosts.items():
            (user,) = users(1)
            took, update_id = timed("POST", f"{host.base_url}/api/updates", message(user))
            times[name]["POST"].append(took)
            times[name]["GET"].append(timed("GET", f"{host.base_url}/api/updates/{update_id}")[0])
        time.sleep(0.2)
    return times


def report(times: dict[str, dict[str, list[float]]]) -> None:
    """Print the table."""
    for asked in ("POST", "GET"):
        medians = {name: statistics.median(by[asked]) for name, by in times.items()}
        for name, by in times.items():
            slowest = max(by[asked])
            print(f"{asked:4} {name:10} {len(by[asked]):5} requests  median {medians[name] * 1000:6.1f} ms", end="")
            print(f"  slowest {slowest * 1000:7.1f} ms")
        print(f"{asked:4} ratio of the medians {medians['throttled'] / medians['well']:.2f}")


def run(parts: Stack, throttled: EmulatedIdentity, seconds: float) -> None:
    """Measure both hosts side by side."""
    throttled.fault("status", count=None, status=429, retryAfter=300)
    with (
        started(Host(ROOT, parts.environment())) as well,
        started(Host(ROOT, parts.environment() | throttled.environment)) as ill,
    ):
        over, statuses = threading.Event(), list[int]()
        poller = threading.Thread(target=poll, args=(ill.base_url, over, statuses))
        poller.start()
        try:
            report(measure({"well": well, "throttled": ill}, seconds))
        finally:
            over.set()
            poller.join()
        print(f"readiness asked {len(statuses)} times, {statuses.count(503)} times 503")
        print(f"identity endpoint asked {throttled.summary()['calls']} times")


def main() -> None:
    """Run on fresh parts."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with stack(0) as parts, started(EmulatedIdentity()) as throttled:
        run(parts, throttled, seconds)


if __name__ == "__main__":
    main()
