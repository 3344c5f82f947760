"""Azurite, Microsoft's storage emulator, as a child process: found in ``node_modules``, or where ``AZURITE`` says."""

import os
from contextlib import suppress
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueServiceClient

ACCOUNT = "devstoreaccount1"
#: Public: the same in every Azurite.
# pragma: allowlist nextline secret
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_MAIN = "node_modules/azurite/dist/src/azurite.js"


class NotInstalledError(Exception):
    """Azurite is not there; the text says how to get it."""


def command(folder: Path, blob: int, queue: int, table: int) -> list[str]:
    """Return the command line that starts it, listening on these ports of 127.0.0.1."""
    main = Path(os.environ.get("AZURITE") or Path(__file__).parent.parent / _MAIN)
    if not main.exists():
        raise NotInstalledError("Azurite is not installed: run `npm ci` (or `make install`) first")
    quiet = ("--silent", "--skipApiVersionCheck", "--disableTelemetry")
    addresses = [
        argument
        for name, port in (("blob", blob), ("queue", queue), ("table", table))
        for argument in (f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port))
    ]
    return ["node", str(main), *quiet, "--location", str(folder), *addresses]


def connection_string(blob: int, queue: int, table: int) -> str:
    """Return the connection string for clients."""
    ports = {"BlobEndpoint": blob, "QueueEndpoint": queue, "TableEndpoint": table}
    places = "".join(f"{name}=http://127.0.0.1:{port}/{ACCOUNT};" for name, port in ports.items())
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{places}"


def make_queues(connection: str, queue: str) -> None:
    """Create the queues of both lanes and of notices, with their poison queues: a sender may come before the app."""
    service = QueueServiceClient.from_connection_string(connection, retry_total=2)
    for name in (queue, f"{queue}-bulk", f"{queue}-notices"):
        for made in (name, f"{name}-poison"):
            with suppress(ResourceExistsError):
                service.create_queue(made)
