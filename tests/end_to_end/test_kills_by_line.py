"""A host that is killed before any of its I/O: nothing is lost, nothing goes back."""

import itertools
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from emulator.stack import ROOT, Host, Stack, stack, started, until
from emulator.wire_tap import Calls, redirected, wire_tap
from tests.end_to_end.relay import QUICK, never_went_back, queue_is_empty, report, settled, submit

pytestmark = pytest.mark.end_to_end

_OF_NO_UPDATE = re.compile(
    r"GET /\w+/\w+/messages\?|PUT /\w+/\w+/messages/|POST /\w+/Tables|\w+ /\w+/\w+-poison|GET /\w+/\w+Erasures"
)
#: Hosts that are killed side by side: what a dead one held is free only when its lease of 17 seconds has ended.
HOSTS = 8


@contextmanager
def revived(host: Host) -> Iterator[None]:
    """Start the host again whenever it died."""
    over = threading.Event()

    def revive() -> None:
        while not over.wait(0.05):
            if not host.running():
                host.start()

    reviver = threading.Thread(target=revive)  # lives on to the end: a child dies with the thread that started it
    reviver.start()
    try:
        yield
    finally:
        over.set()
        reviver.join()


def kill_before(host: Host, calls: Calls, n: int) -> threading.Event:
    """Kill the host before its n-th I/O for an update from now on; the event is set when it came to that."""
    lines_left, one_at_a_time, died = n, threading.Lock(), threading.Event()

    def watch(line: str) -> None:
        nonlocal lines_left
        with one_at_a_time:
            if died.is_set() or _OF_NO_UPDATE.match(line):
                return
            lines_left -= 1
            if lines_left < 0:
                host.kill()
                died.set()
                raise ConnectionAbortedError

    calls.watch = watch
    return died


def killed_before_line(parts: Stack, calls: Calls, name: str, n: int) -> bool:
    """Two updates of a user through a host that dies right before its n-th I/O; return whether it came to that."""
    user = f"user-{n}"
    died = kill_before(parts.hosts[0], calls, n)
    ids = submit(parts, [report(user, 1)]) + submit(parts, [report(user, 2)])
    until(lambda: queue_is_empty(parts, name), 90, "an empty queue")
    hit = died.is_set()
    calls.watch = lambda _: None
    found = settled(parts, 2, name=name, deviceComplianceUserStatusId=user)

    assert {update["id"] for update in found} == set(ids)
    assert len(found) == 2
    assert {update["status"] for update in found} == {"succeeded"}
    assert parts.graph.statuses()[user]["devicesCount"] == 2
    return hit


class Lines:
    """The I/O to kill hosts before, each once, up to the first that no update reaches."""

    def __init__(self) -> None:
        self._count, self._ended = itertools.count(), threading.Event()
        self.hit: set[int] = set()

    def __iter__(self) -> Iterator[int]:
        return itertools.takewhile(lambda _: not self._ended.is_set(), self._count)

    def note(self, n: int, *, hit: bool) -> None:
        """Note whether a host was killed before the n-th I/O."""
        if hit:
            self.hit.add(n)
        else:
            self._ended.set()


def kill_again_and_again(parts: Stack, name: str, lines: Lines) -> None:
    """Kill a host of its own, with its own queue and tables, before one of the lines after another."""
    with wire_tap([*parts.storage.ports, parts.graph.port]) as (tapped, calls):
        env = {setting: redirected(text, tapped) for setting, text in parts.environment().items()}
        env |= {"UPDATES_QUEUE": name, "UPDATES_TABLE_PREFIX": name, "GRAPH_WRITE_QUOTA": "100/1", **QUICK}
        with started(Host(ROOT, env, lock_seconds=2)) as host, revived(host):
            alone = Stack(parts.storage, parts.graph, parts.identity, [host])
            submit(alone, [report(f"warm-{name}", 0)])
            settled(alone, 1, name=name)
            for n in lines:
                lines.note(n, hit=killed_before_line(alone, calls, name, n))


def test_a_kill_before_any_line_of_accept_and_deliver_loses_nothing() -> None:
    """Every I/O of two updates, one kill each (docs/architecture/crash-safety.md)."""
    lines = Lines()
    with stack(0) as parts, ThreadPoolExecutor(HOSTS) as threads:
        list(threads.map(lambda number: kill_again_and_again(parts, f"host{number}", lines), range(HOSTS)))

        assert lines.hit >= set(range(20)), lines.hit
        never_went_back(parts)
