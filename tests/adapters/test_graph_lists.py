"""What the Graph adapter reads."""

import json

import pytest

from shared.core.delivery.reply_kind import ReplyKind
from tests.adapters.graph_client import graph
from tests.adapters.sockets import answering, serving
from tests.builders import POLICY


def test_a_read_has_its_path_and_query() -> None:
    """For lists and readiness."""
    with serving(answering(body=b'{"value": []}')) as server:
        answer = graph(server.url).get(("deviceManagement", "deviceCompliancePolicies"), {"$top": "1"}, token="t")
    assert server.requests[0].startswith(b"GET /beta/deviceManagement/deviceCompliancePolicies?%24top=1 ")
    assert answer.reply.result == {"value": []}


def test_a_list_asks_for_ids_and_names_and_may_be_long() -> None:
    """A page holds more than an error may."""
    value = [{"id": f"{n:0100}", "userPrincipalName": f"user{n}@contoso.example"} for n in range(2_000)]
    with serving(answering(body=json.dumps({"value": value}).encode())) as server:
        answer = graph(server.url).list_user_statuses(POLICY, token="t")
    path = f"/beta/deviceManagement/deviceCompliancePolicies/{POLICY}/userStatuses"
    assert server.requests[0].split(b" ")[1].decode() == f"{path}?%24select=id%2CuserPrincipalName"
    assert answer.reply.result == {"value": value}


def test_a_page_that_is_too_long_is_not_readable() -> None:
    """The memory has a bound."""
    with serving(answering(body=b'{"value": ["' + b"x" * 5_000_000 + b'"]}')) as server:
        got = graph(server.url).list_user_statuses(POLICY, token="t").reply
    assert (got.status_code, got.kind) == (200, ReplyKind.UNREADABLE_SUCCESS)


def test_the_next_page_is_asked_for_as_it_was_named() -> None:
    """Character for character."""
    with serving(answering()) as server:
        link = f"{server.url}/beta/deviceManagement/deviceCompliancePolicies('x')/userStatuses?$skiptoken=a%2Fb"
        graph(server.url).list_user_statuses(POLICY, link, token="t")
    assert server.requests[0].split(b" ")[1].decode() == link.removeprefix(server.url)


@pytest.mark.parametrize(
    "link", ["{other}/beta/x?$skiptoken=a%2Fb", "{own}@127.0.0.2/beta/x?$skiptoken=a%2Fb", "/beta/x?$skiptoken=a%2Fb"]
)
def test_a_link_to_another_host_is_followed_under_our_own_root(link: str) -> None:
    """Behind a gateway the links name Graph itself; the token goes nowhere else."""
    with serving(answering()) as other, serving(answering()) as own:
        named = link.format(other=other.url, own=own.url)
        got = graph(own.url + "/gateway").list_user_statuses(POLICY, named, token="t").reply
    assert got.kind is ReplyKind.SUCCESS
    assert own.requests[0].startswith(b"GET /gateway/beta/x?$skiptoken=a%2Fb ")
    assert not other.requests


@pytest.mark.parametrize("link", ["{own}/v1.0/x", "{own}", "", "http://[", "https://graph.microsoft.com/"])
def test_a_link_that_is_not_of_this_api_leads_nowhere(link: str) -> None:
    """The list is unreadable then."""
    with serving(answering()) as own:
        got = graph(own.url).list_user_statuses(POLICY, link.format(own=own.url), token="t").reply
    assert (got.status_code, got.kind) == (200, ReplyKind.UNREADABLE_SUCCESS)
    assert not own.requests


def test_a_list_without_a_selection() -> None:
    """Some services refuse ``$select``."""
    with serving(answering(body=b'{"value": []}')) as server:
        graph(server.url).list_user_statuses(POLICY, select=False, token="t")
    assert server.requests[0].split(b" ")[1].endswith(b"/userStatuses")


def test_one_user_status_is_read_by_its_key() -> None:
    """Percent-encoded."""
    with serving(answering(body=b'{"id": "a:b"}')) as server:
        answer = graph(server.url).read_user_status(POLICY, "a:b", token="t")
    assert server.requests[0].split(b" ")[1].endswith(f"/{POLICY}/userStatuses/a%3Ab".encode())
    assert answer.reply.result == {"id": "a:b"}
