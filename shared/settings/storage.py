"""Where storage is, and how the app signs in to it, by the Functions host's own convention for connections."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.settings.values import GUID, url

#: The connection's name.
STORAGE = "UPDATES_STORAGE"


@dataclass(frozen=True)
class Storage:
    """A connection string, or both service addresses and how to sign in to them."""

    connection_string: str | None = None
    queue_service_uri: str | None = None
    table_service_uri: str | None = None
    credential: str | None = None
    client_id: str | None = None


def read_storage(given: Mapping[str, str], faults: list[str]) -> Storage:
    """Return the app's own storage, queues and tables; every fault goes to ``faults``."""
    return _read(given, faults, STORAGE, ("queueServiceUri", "tableServiceUri"))


def read_queue_storage(given: Mapping[str, str], faults: list[str], connection: str) -> Storage:
    """Return a storage of which only a queue is used; every fault goes to ``faults``."""
    return _read(given, faults, connection, ("queueServiceUri",))


def _read(given: Mapping[str, str], faults: list[str], connection: str, services: tuple[str, ...]) -> Storage:
    """The exact name beats the prefix form, as in the Functions host (docs/graph-facts.md#f37)."""
    if connection in given:
        if not _is_connection_string(given[connection], services):
            faults.append(f"{connection} = (not shown): accepted is a connection string or UseDevelopmentStorage=true")
        return Storage(connection_string=given[connection])
    uris = {name: given.get(f"{connection}__{name}") for name in services}
    uris["queueServiceUri"] = uris["queueServiceUri"] or given.get(f"{connection}__serviceUri")
    there = any(uris.values())
    if not there:
        forms = " with ".join(f"{connection}__{name}" for name in services)
        faults.append(
            f"{connection} is missing: accepted is a connection string, UseDevelopmentStorage=true, or {forms}"
        )
    for name, text in uris.items():
        if there and not _is_service(text):
            shown = f"{connection}__{name} = {(text or '')[:80]!r}"
            faults.append(f"{shown}: accepted is an https address (http on loopback)")
    credential = given.get(f"{connection}__credential")
    if credential not in (None, "managedidentity"):
        faults.append(f"{connection}__credential = {credential[:80]!r}: accepted is managedidentity")
    client = given.get(f"{connection}__clientId")
    if client is not None and not GUID.fullmatch(client):
        faults.append(f"{connection}__clientId = {client[:80]!r}: accepted is a GUID")
    return Storage(None, uris["queueServiceUri"], uris.get("tableServiceUri"), credential, client)


def _is_service(text: str | None) -> bool:
    try:
        return text is not None and bool(url(text, plain_anywhere=False))
    except ValueError:
        return False


def _is_connection_string(text: str, services: tuple[str, ...]) -> bool:
    pairs = [part.partition("=") for part in text.strip(";").split(";")]
    values = {name.strip().lower(): value for name, _, value in pairs}
    if values.get("usedevelopmentstorage", "").lower() == "true":
        return True
    whole = all(equals and value for _, equals, value in pairs)
    key = "accountkey" in values or "sharedaccesssignature" in values
    place = (
        "accountname" in values
        or {name.lower().replace("serviceuri", "endpoint") for name in services} <= values.keys()
    )
    return whole and key and place
