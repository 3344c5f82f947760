"""Acceptance over HTTP: beside a bare function in the same run, and a batch beside single requests."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

import requests

from bench.load import message, users
from emulator.stack import ROOT, Host, stack, started

POSTS, BATCH, CLIENTS = 1_500, 1_000, 8
_sessions = local()


def post(url: str, body: object) -> None:
    """One request; a connection a client."""
    if not hasattr(_sessions, "session"):
        _sessions.session = requests.Session()
    answer = _sessions.session.post(url, json=body, timeout=120)
    assert answer.status_code == 202, answer.text


def rate(base_url: str, count: int, clients: int) -> float:
    """Accepted updates a second."""
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(lambda user: post(f"{base_url}/api/updates", message(user)), users(clients * 4)))
        start = time.monotonic()
        list(threads.map(lambda user: post(f"{base_url}/api/updates", message(user)), users(count)))
        return count / (time.monotonic() - start)


def measure(app: Path, count: int) -> float:
    """The same load on a fresh stack."""
    with stack(0) as parts, started(Host(app, parts.environment())) as host:
        return rate(host.base_url, count, CLIENTS)


def main() -> None:
    """Print the tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else POSTS
    bare, relay = measure(ROOT / "bench" / "bare", count), measure(ROOT, count)
    print(f"{count} single updates, {CLIENTS} clients")
    print(f"bare   {bare:8.1f} a second\nrelay  {relay:8.1f} a second\nratio  {relay / bare:8.2f}")
    with stack(0) as parts, started(Host(ROOT, parts.environment())) as host:
        one_by_one = BATCH / rate(host.base_url, BATCH, 1)
        start = time.monotonic()
        post(f"{host.base_url}/api/updates/batch", {"updates": [message(user) for user in users(BATCH)]})
        at_once = time.monotonic() - start
    print(f"\n{BATCH} updates by one client")
    print(f"one by one {one_by_one:8.2f} s\nin a batch {at_once:8.2f} s\nratio      {one_by_one / at_once:8.2f}")


if __name__ == "__main__":
    main()
