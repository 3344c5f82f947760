"""Who may call what, decided over every operation and every set of roles."""

import itertools

import pytest
from azure.functions import HttpRequest

from shared.web.authorization import ANYONE, NEEDED, PROBE, Principal, Role, refusal, refusal_to_read
from shared.web.principal import read_principal
from tests.web.principals import ADA, BOB, TOKEN, encoded, principal
from tests.web.routes import bindings

ROLE_SETS = [frozenset(some) for size in range(len(Role) + 1) for some in itertools.combinations(Role, size)]
#: What each role alone may do, as the contract has it.
ALLOWED = {
    Role.SEND: {"post_update", "post_batch", "post_validation", "get_update"},
    Role.READ: {
        "get_update",
        "list_updates",
        "get_user_status",
        "get_erasure",
        "get_stats",
        "get_doctor",
        "list_audit",
        "list_pauses",
        "get_pause",
    },
}
ALLOWED[Role.OPERATE] = ALLOWED[Role.READ] | {
    "cancel_update",
    "replay_update",
    "replay_updates",
    "post_erasure",
    "post_pause",
    "end_pause",
    "cancel_paused_updates",
    PROBE,
}


def headers(**given: str) -> HttpRequest:
    """Return headers that are found in any case, as the host's are."""
    return HttpRequest("GET", "http://x", headers=given, body=b"").headers


@pytest.mark.parametrize("operation", NEEDED)
@pytest.mark.parametrize("roles", ROLE_SETS, ids=lambda roles: "+".join(sorted(roles)) or "none")
def test_a_call_takes_one_of_its_roles(operation: str, roles: frozenset[Role]) -> None:
    """No role gives more than its own; several add up."""
    refused = refusal(operation, Principal(ADA, "", roles), "POST", headers(**TOKEN))
    allowed = NEEDED[operation] is ANYONE or any(operation in ALLOWED[role] for role in roles)
    assert (refused is None) == allowed
    if refused is not None:
        assert (refused.slug, refused.status) == ("forbidden", 403)
        assert all(role in refused.detail for role in NEEDED[operation] | roles)


@pytest.mark.parametrize("operation", NEEDED)
def test_without_a_principal_only_anonymous_calls_work(operation: str) -> None:
    """401, whatever else the request holds."""
    refused = refusal(operation, None, "GET", headers(**TOKEN))
    assert (refused is None) == (NEEDED[operation] is ANYONE)
    assert refused is None or (refused.slug, refused.status) == ("unauthenticated", 401)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "Same-Origin"}, False),
        ({"Authorization": ""}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"X-Relay-Request": "1"}, True),
        ({"x-relay-request": ""}, True),
        ({"Sec-Fetch-Site": "cross-site", "X-Relay-Request": "1"}, True),
        (TOKEN, True),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH"])
def test_a_change_by_cookie_needs_proof_that_no_other_site_made_it(
    given: dict[str, str], method: str, *, safe: bool
) -> None:
    """Reading does not; the probe writes, though it is a GET."""
    operator = Principal(ADA, "", frozenset(Role))
    for operation, needed in NEEDED.items():
        refused = refusal(operation, operator, method, headers(**given))
        changes = method not in ("GET", "HEAD") or operation == PROBE
        assert (refused is not None) == (needed is not ANYONE and changes and not safe), operation
        assert refused is None or (refused.slug, refused.status) == ("crossSiteRequest", 403)


def test_a_sender_reads_its_own_updates_alone() -> None:
    """A reader reads everybody's."""
    sender = Principal(ADA, "", frozenset({Role.SEND}))
    assert refusal_to_read(ADA, sender) is None
    for other in (BOB, None, ADA.upper()):
        refused = refusal_to_read(other, sender)
        assert refused is not None
        assert (refused.slug, refused.status) == ("forbidden", 403)
    for role in (Role.READ, Role.OPERATE):
        assert refusal_to_read(BOB, Principal(ADA, "", frozenset({role}))) is None


def test_every_http_function_has_a_row_and_asks_the_host_for_a_key_unless_anyone_may_call_it() -> None:
    """The table and the routes are of one mind."""
    levels = {name: binding["authLevel"].lower() for name, binding in bindings() if binding["type"] == "httpTrigger"}
    assert levels.keys() == NEEDED.keys() - {PROBE}
    assert {name for name, level in levels.items() if level == "anonymous"} == {
        name for name, needed in NEEDED.items() if needed is ANYONE
    }


def test_a_principal_is_read_from_the_headers_of_the_platform() -> None:
    """Its id, its name, and its roles by either claim type."""
    assert read_principal(principal("Updates.Read", "Other.Role")) == Principal(
        ADA, "ada@contoso.com", frozenset({Role.READ})
    )
    long = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
    claims = [{"typ": long, "val": "Updates.Send"}, {"typ": "roles", "val": "Updates.Read"}]
    given = principal() | {"X-MS-CLIENT-PRINCIPAL": encoded({"claims": claims, "role_typ": long})}
    found = read_principal(given)
    assert found is not None
    assert found.roles == {Role.SEND, Role.READ}


@pytest.mark.parametrize("role", ["updates.read", "UPDATES.READ", "Updates.read", " Updates.Read", "Updates.Read ", ""])
def test_a_role_in_another_case_is_none(role: str) -> None:
    """Exactly as the app registration has it."""
    found = read_principal(principal(role))
    assert found is not None
    assert found.roles == frozenset()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        "!!!!",
        encoded([]),
        encoded(None),
        encoded("claims"),
        encoded({}),
        encoded({"claims": None}),
        encoded({"claims": "roles"}),
        encoded({"claims": [{"typ": "roles"}]}),
        encoded({"claims": [["roles", "Updates.Read"]]}),
        "é" * 4,
    ],
)
def test_a_principal_that_cannot_be_read_is_none(header: str) -> None:
    """The call is then one without a principal: 401."""
    assert read_principal(principal("Updates.Read") | {"X-MS-CLIENT-PRINCIPAL": header}) is None


def test_a_principal_without_an_id_is_none() -> None:
    """It could own nothing, and the audit could not name it."""
    whole = principal("Updates.Read")
    assert read_principal({name: text for name, text in whole.items() if name != "X-MS-CLIENT-PRINCIPAL-ID"}) is None
    assert read_principal({name: text for name, text in whole.items() if name != "X-MS-CLIENT-PRINCIPAL"}) is None
