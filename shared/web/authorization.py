"""Who may call what where ``AUTHENTICATION`` is ``entra``: one table of needed roles, and the decision over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.web.response import Problem


class Role(StrEnum):
    """The app roles of the relay's app registration (infra/entra), in their exact case."""

    #: Submit updates, and read those that one has submitted.
    SEND = "Updates.Send"
    #: Read everything.
    READ = "Updates.Read"
    #: Read everything, and cancel, replay, erase, pause and probe.
    OPERATE = "Updates.Operate"


@dataclass(frozen=True)
class Principal:
    """The caller as Entra knows it: its object id, its name for people, and its roles here."""

    id: str
    name: str
    roles: frozenset[Role]


#: No principal is needed.
ANYONE: Final[frozenset[Role]] = frozenset()
_SENDERS = frozenset({Role.SEND})
_READERS = frozenset({Role.READ, Role.OPERATE})
_OPERATORS = frozenset({Role.OPERATE})
#: The doctor's probe, a part of ``get_doctor`` that writes to Graph.
PROBE: Final = "probe"
#: The roles of which a caller needs one, by the handler's name. A handler without a row stops the app at import.
NEEDED: Final[Mapping[str, frozenset[Role]]] = {
    "post_update": _SENDERS,
    "post_batch": _SENDERS,
    "post_validation": _SENDERS,
    # A sender reads its own alone: see ``refusal_to_read``.
    "get_update": _SENDERS | _READERS,
    "list_updates": _READERS,
    "get_user_status": _READERS,
    "get_erasure": _READERS,
    "get_stats": _READERS,
    "get_doctor": _READERS,
    "list_audit": _READERS,
    "list_pauses": _READERS,
    "get_pause": _READERS,
    PROBE: _OPERATORS,
    "cancel_update": _OPERATORS,
    "replay_update": _OPERATORS,
    "replay_updates": _OPERATORS,
    "post_erasure": _OPERATORS,
    "post_pause": _OPERATORS,
    "end_pause": _OPERATORS,
    "cancel_paused_updates": _OPERATORS,
    # Verified by the sender's signature.
    "post_webhook": ANYONE,
    "get_webhook": ANYONE,
    "allow_webhook": ANYONE,
    "live": ANYONE,
    "ready": ANYONE,
    "get_openapi": ANYONE,
    "get_dashboard": ANYONE,
    "get_dashboard_file": ANYONE,
    "get_session": ANYONE,
    "unknown": ANYONE,
}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
#: A browser sends no such header to another origin without asking it first (CORS), and this app never agrees.
PROOF_HEADER: Final = "X-Relay-Request"
_NO_PRINCIPAL = Problem(
    "unauthenticated",
    "This call needs an Entra access token for this relay (Authorization: Bearer), or a signed-in browser.",
)
_CROSS_SITE = Problem(
    "crossSiteRequest",
    "This call changes something and carries a browser's cookie, but no proof that the relay's own page made it. "
    f"Send an access token (Authorization: Bearer) or the header {PROOF_HEADER}.",
)


def refusal(operation: str, principal: Principal | None, method: str, headers: Mapping[str, str]) -> Problem | None:
    """Return why this caller may not make this call, None where it may; ``headers`` are found by any case."""
    needed = NEEDED[operation]
    if needed is ANYONE:
        return None
    if principal is None:
        return _NO_PRINCIPAL
    if (method not in _READING or operation == PROBE) and _may_be_forged(headers):
        return _CROSS_SITE
    return None if needed & principal.roles else _role_missing("This call", needed, principal)


def refusal_to_read(submitted_by: str | None, principal: Principal) -> Problem | None:
    """Return why this caller, who has a role to read with, may not read an update of that submitter."""
    if _READERS & principal.roles or submitted_by == principal.id:
        return None
    return _role_missing("Another caller submitted this update. Reading it", _READERS, principal)


def _may_be_forged(headers: Mapping[str, str]) -> bool:
    """Whether another site may have made a signed-in browser send this (cross-site request forgery).

    A page cannot make a browser send a token, nor these two headers, to another origin
    (https://www.w3.org/TR/fetch-metadata/).
    """
    by_cookie = not headers.get("Authorization")
    return by_cookie and headers.get("Sec-Fetch-Site") != "same-origin" and PROOF_HEADER not in headers


def _role_missing(what: str, needed: frozenset[Role], principal: Principal) -> Problem:
    wanted = " or ".join(role for role in Role if role in needed)
    has = ", ".join(role for role in Role if role in principal.roles) or "none of the relay's roles"
    return Problem("forbidden", f"{what} needs the app role {wanted}. The caller has {has}.")
