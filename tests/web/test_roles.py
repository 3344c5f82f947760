"""The HTTP API where Entra answers for callers, from the outside."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.functions import HttpResponse

from shared.settings import Settings
from shared.web.authorization import ANYONE, NEEDED, PROBE
from shared.web.openapi.document import document
from tests.builders import POLICY, USER, a_message, an_id
from tests.web.caller import BASE, answered, ask, post, problem, request, route_of
from tests.web.principals import ADA, BOB, ENTRA, by_token, entra_world, principal
from tests.world import World

APIS = ("updates", "batch", "validation", "user_statuses", "erasures", "stats", "doctor", "audit_records", "pauses")
GUARDED = sorted(name for name, needed in NEEDED.items() if needed is not ANYONE and name != PROBE)


def handler(world: World, name: str) -> Callable[..., Any]:
    """Return the handler of that name."""
    (api,) = (getattr(world.relay, api) for api in APIS if hasattr(getattr(world.relay, api), name))
    found: Callable[..., Any] = getattr(api, name)
    return found


def called(world: World, name: str, headers: dict[str, str], **rest: Any) -> HttpResponse:
    """Call a handler with these headers."""
    params = {"id": an_id(), **route_of(POLICY, USER)}
    return answered(handler(world, name)(request("POST", {}, headers=headers, route_params=params, **rest)))


@pytest.mark.parametrize("name", GUARDED)
def test_every_guarded_call_refuses_strangers_and_wrong_roles(name: str) -> None:
    """401 and 403 as problems; a right role comes to what the call itself says."""
    world = entra_world()
    response = called(world, name, {})
    assert problem(response) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert problem(called(world, name, by_token("updates.send"))) == (403, "forbidden")
    assert problem(called(world, name, by_token())) == (403, "forbidden")
    right = called(world, name, by_token(*NEEDED[name]))
    assert right.status_code not in (401, 403)


@pytest.mark.parametrize("name", GUARDED)
def test_with_function_keys_the_host_has_asked_already(world: World, name: str) -> None:
    """No principal is needed, and a forged one means nothing."""
    assert called(world, name, {}).status_code not in (401, 403)
    assert called(world, name, by_token("Updates.Send")).status_code not in (401, 403)


def test_a_sender_sees_what_became_of_its_own_update_and_no_other() -> None:
    """Also while it waits."""
    world = entra_world()
    _, update = post(world, a_message(), **by_token("Updates.Send"), Prefer="wait=1")
    assert update["submittedBy"] == ADA

    def seen(**headers: str) -> HttpResponse:
        params = {"id": update["id"]}
        return answered(world.relay.updates.get_update(request("GET", headers=headers, route_params=params)))

    assert seen(**by_token("Updates.Send")).status_code == 200
    assert seen(**by_token("Updates.Send"), Prefer="wait=1").status_code == 200
    assert problem(seen(**by_token("Updates.Send", of=BOB))) == (403, "forbidden")
    assert seen(**by_token("Updates.Read", of=BOB)).status_code == 200
    assert seen(**by_token("Updates.Operate", of=BOB)).status_code == 200


def test_a_cookie_changes_nothing_from_another_site() -> None:
    """The dashboard's own header, or the browser's word, is the proof."""
    world = entra_world()
    update_id = world.accept()
    params = {"id": update_id}

    def canceled(**headers: str) -> HttpResponse:
        given = principal("Updates.Operate") | {name.replace("_", "-"): text for name, text in headers.items()}
        return answered(world.relay.updates.cancel_update(request("POST", headers=given, route_params=params)))

    assert problem(canceled()) == (403, "crossSiteRequest")
    assert problem(canceled(Sec_Fetch_Site="cross-site", Origin="https://evil.example")) == (403, "crossSiteRequest")
    assert world.resource(update_id)["status"] == "notStarted"
    assert not world.audit.rows
    assert canceled(Sec_Fetch_Site="same-origin").status_code == 200


def test_the_probe_takes_an_operator_and_no_forged_cookie() -> None:
    """It writes to Graph; the other checks are a reader's."""
    world = entra_world()
    ids = route_of(POLICY, USER)

    def doctor(headers: dict[str, str], params: dict[str, str]) -> HttpResponse:
        return answered(world.relay.doctor.get_doctor(request("GET", headers=headers, params=params)))

    assert doctor(by_token("Updates.Read"), {}).status_code == 200
    assert problem(doctor(by_token("Updates.Read"), ids)) == (403, "forbidden")
    assert problem(doctor(principal("Updates.Operate"), ids)) == (403, "crossSiteRequest")
    assert doctor(by_token("Updates.Operate"), ids).status_code == 200


def test_anonymous_routes_stay_anonymous() -> None:
    """Health, the document, the dashboard's files, webhooks."""
    world = entra_world()
    assert ask(world.relay.health.live)[0].status_code == 200
    assert ask(world.relay.openapi.get_openapi)[0].status_code == 200
    assert answered(world.relay.dashboard.get_dashboard(request("GET"))).status_code == 200
    hook = request("POST", a_message(), route_params={"source": "x"})
    assert problem(answered(world.relay.webhooks.post_webhook(hook))) == (401, "unauthorized")


def test_the_session_says_how_to_sign_in_and_who_has(world: World) -> None:
    """Nothing about anybody else."""
    assert ask(world.relay.session.get_session)[1] == {"authentication": "functionKeys"}
    assert ask(world.relay.session.get_session, headers=principal("Updates.Read"))[1] == {
        "authentication": "functionKeys"
    }
    entra = entra_world()
    assert ask(entra.relay.session.get_session)[1] == {"authentication": "entra", "signedIn": None}
    response, body = ask(entra.relay.session.get_session, headers=principal("Updates.Read", "Updates.Send"))
    assert body["signedIn"] == {"id": ADA, "name": "ada@contoso.com", "roles": ["Updates.Read", "Updates.Send"]}
    assert response.headers["Cache-Control"] == "no-store"


def test_the_document_names_the_roles() -> None:
    """Where the app asks for them; else the function key."""
    _, entra = ask(entra_world().relay.openapi.get_openapi)
    assert list(entra["components"]["securitySchemes"]) == ["entra"]
    paths = entra["paths"]
    assert paths["/updates"]["post"]["security"] == [{"entra": ["Updates.Send"]}]
    assert paths["/updates"]["get"]["security"] == [{"entra": ["Updates.Read"]}, {"entra": ["Updates.Operate"]}]
    assert {"401", "403"} <= paths["/updates"]["get"]["responses"].keys()
    assert paths["/health/live"]["get"]["security"] == [{}]
    guarded = [each for methods in paths.values() for each in methods.values() if each.get("security") != [{}]]
    assert len(guarded) == len(GUARDED)
    keys = document(BASE)
    assert list(keys["components"]["securitySchemes"]) == ["functionKey", "functionKeyQuery"]
    assert "403" not in keys["paths"]["/updates"]["get"]["responses"]


def test_a_principal_is_not_trusted_where_the_platform_does_not_establish_it() -> None:
    """Such an app does not even start."""
    with pytest.raises(ValueError, match="WEBSITE_AUTH_ENABLED"):
        World(Settings.from_environ({**ENTRA, "WEBSITE_AUTH_ENABLED": ""}))
