"""Each port twice: the fake and the real thing on Azurite."""

import uuid
from collections.abc import Iterator

import pytest

from emulator.stack import Azurite, azurite
from shared.settings import Settings
from shared.wiring.adapters import Ports, connect
from tests.world import World


@pytest.fixture(scope="session")
def storage() -> Iterator[Azurite]:
    """One Azurite a test process."""
    with azurite() as part:
        yield part


@pytest.fixture
def azurite_ports(storage: Azurite) -> Ports:
    """The real storage ports, fresh for each test."""
    name = uuid.uuid4().hex[:20]
    environ = {
        "UPDATES_STORAGE": storage.connection_string,
        "UPDATES_QUEUE": f"q-{name}",
        "UPDATES_TABLE_PREFIX": f"t{name}",
    }
    return connect(Settings.from_environ(environ))


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
def ports(request: pytest.FixtureRequest) -> Ports:
    """The storage ports, fresh for each test: the fakes, then the real ones."""
    if request.param == "fake":
        return World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"})).relay.ports
    azurite_ports: Ports = request.getfixturevalue("azurite_ports")
    return azurite_ports
