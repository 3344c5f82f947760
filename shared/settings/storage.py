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
    """The exact name beats the prefix form, as in the Functions host (docs/graph-facts.md#f37)."""
    if STORAGE in given:
        if not _is_connection_string(given[STORAGE]):
            faults.append(f"{STORAGE} = (not shown): accepted is a connection string or UseDevelopmentStorage=true")
        return Storage(connection_string=given[STORAGE])
    queue = given.get(f"{STORAGE}__queueServiceUri") or given.get(f"{STORAGE}__serviceUri")
    table = given.get(f"{STORAGE}__tableServiceUri")
    if not queue and not table:
        faults.append(
            f"{STORAGE} is missing: accepted is a connection string, UseDevelopmentStorage=true, or "
            f"{STORAGE}__queueServiceUri with {STORAGE}__tableServiceUri"
        )
    for name, text in (("queueServiceUri", queue), ("tableServiceUri", table)):
        if (queue or table) and not _is_service(text):
            faults.append(f"{STORAGE}__{name} = {(text or '')[:80]!r}: accepted is an https address (http on loopback)")
    credential = given.get(f"{STORAGE}__credential")
    if credential not in (None, "managedidentity"):
        faults.append(f"{STORAGE}__credential = {credential[:80]!r}: accepted is managedidentity")
    client = given.get(f"{STORAGE}__clientId")
    if client is not None and not GUID.fullmatch(client):
        faults.append(f"{STORAGE}__clientId = {client[:80]!r}: accepted is a GUID")
    return Storage(None, queue, table, credential, client)


def _is_service(text: str | None) -> bool:
    try:
        return text is not None and bool(url(text, plain_anywhere=False))
    except ValueError:
        return False


def _is_connection_string(text: str) -> bool:
    pairs = [part.partition("=") for part in text.strip(";").split(";")]
    values = {name.strip().lower(): value for name, _, value in pairs}
    if values.get("usedevelopmentstorage", "").lower() == "true":
        return True
    whole = all(equals and value for _, equals, value in pairs)
    key = "accountkey" in values or "sharedaccesssignature" in values
    place = "accountname" in values or {"queueendpoint", "tableendpoint"} <= values.keys()
    return whole and key and place
