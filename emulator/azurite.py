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
    """What starts it."""
    main = Path(os.environ.get("AZURITE") or Path(__file__).parent.parent / _MAIN)
    if not main.exists():
        raise NotInstalledError("Azurite is not installed: run `npm ci` (or `make install`) first")
    return [
        "node", str(main), "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", str(folder),
        "--blobHost", "127.0.0.1", "--blobPort", str(blob), "--queueHost", "127.0.0.1", "--queuePort", str(queue),
        "--tableHost", "127.0.0.1", "--tablePort", str(table),
    ]  # fmt: skip


def connection_string(blob: int, queue: int, table: int) -> str:
    """How clients reach it."""
    ports = {"BlobEndpoint": blob, "QueueEndpoint": queue, "TableEndpoint": table}
    places = "".join(f"{name}=http://127.0.0.1:{port}/{ACCOUNT};" for name, port in ports.items())
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{places}"


def make_queues(connection: str, queue: str) -> None:
    """Make the queues of both lanes and of notices, with their poison queues: a sender may be the first to come."""
    service = QueueServiceClient.from_connection_string(connection, retry_total=2)
    for name in (queue, f"{queue}-bulk", f"{queue}-notices"):
        for made in (name, f"{name}-poison"):
            with suppress(ResourceExistsError):
                service.create_queue(made)
