"""Storage by managed identity: Azurite over https with OAuth, azure-identity against an endpoint, nothing replaced."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import azurite
from emulator.children import Child, free_ports, in_use
from emulator.stack import EmulatedIdentity, started
from shared.core.delivery.outcome import queued
from shared.settings import Settings
from shared.wiring.adapters import connect
from tests.adapters.certificates import certificate
from tests.builders import NOW, an_envelope

pytestmark = pytest.mark.azurite


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The identity form of the storage settings, and an Azurite that takes nothing but tokens of its audience."""
    cert, private = certificate(tmp_path)
    blob, queue, table = free_ports(3)
    command = [*azurite.command(tmp_path / "data", blob, queue, table), "--oauth", "basic", "--cert", str(cert)]
    storage = Child([*command, "--key", str(private)])
    with started(EmulatedIdentity()) as identity:
        for name, value in (identity.environment | {"REQUESTS_CA_BUNDLE": str(cert)}).items():
            monkeypatch.setenv(name, value)
        try:
            storage.start(lambda: all(in_use(port) for port in (queue, table)))
            yield {
                "UPDATES_STORAGE__queueServiceUri": f"https://127.0.0.1:{queue}/{azurite.ACCOUNT}",
                "UPDATES_STORAGE__tableServiceUri": f"https://127.0.0.1:{table}/{azurite.ACCOUNT}",
                "UPDATES_STORAGE__credential": "managedidentity",
                "UPDATES_STORAGE__clientId": "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11",
            }
        finally:
            storage.close()
            shutil.rmtree(tmp_path / "data", ignore_errors=True)


def test_queue_and_tables_work_without_any_key(environ: dict[str, str]) -> None:
    """A token from the user-assigned identity is enough."""
    ports = connect(Settings.from_environ(environ))

    ports.queue.put("{}")
    assert ports.outcomes.insert(queued(an_envelope(), NOW))

    assert ports.queue.head().length == 1
    assert ports.outcomes.get(an_envelope().id) is not None
