"""Storage that refuses the app is told from storage that is away."""

import pytest

from emulator.azurite import ACCOUNT
from emulator.children import free_ports
from shared.service.ports.storage import Denied, Unavailable
from shared.settings import Settings
from shared.wiring.adapters import Ports, connect
from tests.adapters.sockets import answering, serving

KEY = "a2V5"


def ports(port: int) -> Ports:
    """Storage there."""
    where = f"http://127.0.0.1:{port}/{ACCOUNT}"
    text = f"AccountName={ACCOUNT};AccountKey={KEY};QueueEndpoint={where};TableEndpoint={where}"
    return connect(Settings.from_environ({"UPDATES_STORAGE": text}))


@pytest.mark.parametrize("status", ["403 Forbidden", "401 Unauthorized"])
def test_a_refusal_is_denied(status: str) -> None:
    """Queue and table."""
    with serving(answering(status, b"")) as server:
        outside = ports(server.port)
        for touch in (outside.queue.touch, outside.counters.touch):
            with pytest.raises(Denied):
                touch()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """It refuses nobody."""
    outside = ports(free_ports(1)[0])
    for touch in (outside.queue.touch, outside.counters.touch):
        with pytest.raises(Unavailable) as told:
            touch()
        assert not isinstance(told.value, Denied)
