"""A relay at an address, and a file for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.relay_server import RelayServer, relay_server
from tests.relay.submission.files import write_users
from tests.world import World


@pytest.fixture
def relay(world: World) -> Iterator[RelayServer]:
    """Run a relay at an address."""
    with relay_server(world) as running:
        yield running


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """Write a file of 25 users."""
    return write_users(tmp_path, 25)
