"""An emulated Graph and an emulated identity endpoint for all tests of this folder, clean for each."""

from collections.abc import Iterator

import pytest

from emulator.stack import EmulatedGraph, EmulatedIdentity, started
from tests.emulator.callers import GraphCaller


@pytest.fixture(scope="session")
def running_graph() -> Iterator[EmulatedGraph]:
    """Start one Graph."""
    with started(EmulatedGraph()) as part:
        yield part


@pytest.fixture
def graph(running_graph: EmulatedGraph) -> EmulatedGraph:
    """Return it without faults, requests, user statuses or quota."""
    running_graph.mend()
    running_graph.control("DELETE", "requests")
    running_graph.control("DELETE", "state")
    running_graph.config(quota=None, pageSize=100, strictIds=False)
    return running_graph


@pytest.fixture
def caller(graph: EmulatedGraph) -> GraphCaller:
    """Return a caller with a good token."""
    return GraphCaller(graph.base_url)


@pytest.fixture(scope="session")
def running_identity() -> Iterator[EmulatedIdentity]:
    """Start one identity endpoint."""
    with started(EmulatedIdentity()) as part:
        yield part


@pytest.fixture
def identity(running_identity: EmulatedIdentity) -> EmulatedIdentity:
    """Return it without faults or requests."""
    running_identity.mend()
    running_identity.control("DELETE", "requests")
    return running_identity
