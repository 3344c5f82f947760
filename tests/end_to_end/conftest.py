"""The whole app in Microsoft's Functions runtime, with everything around it."""

from collections.abc import Iterator

import pytest

from emulator.host_process import chosen
from emulator.stack import Stack, stack

#: Tests that need what Microsoft's host cannot be asked for.
_EMULATOR_ALONE = {
    "test_kills_by_line.py": "leases of seconds",
    "test_kills_under_load.py": "leases of seconds",
    "test_hosts_side_by_side.py": "leases of seconds",
    "test_outages.py": "leases of seconds",
    "test_senders.py": "a function key by a setting",
}
_LONGEST = ("test_kills", "test_outages", "test_hosts_side_by_side", "test_malformed")


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    """One host, shared by a module's tests."""
    with stack(RETRY_BASE_SECONDS="0.2", GRAPH_TIMEOUT_SECONDS="3", GRAPH_WRITE_QUOTA="1000/20") as parts:
        parts.graph.config(quota=None)  # one test's backlog is not the next one's wait
        yield parts


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: the others fill the time beside them."""
    items.sort(key=lambda item: not any(module in item.nodeid for module in _LONGEST))
    if chosen() == "func":
        for item in items:
            for module, what in _EMULATOR_ALONE.items():
                if module in item.nodeid:
                    item.add_marker(pytest.mark.skip(reason=f"only the emulator has {what}"))
