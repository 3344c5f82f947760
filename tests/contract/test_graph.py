"""What reading Graph promises: the fake, and the real adapter on the emulated Graph."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from emulator.stack import EmulatedGraph, started
from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue
from shared.adapters.graph import GraphClient
from shared.core.delivery.user_directory import read_list_page
from shared.service.ports.graph import Graph
from tests.builders import EXAMPLE, NOW, POLICY, USER
from tests.fakes.graph import ScriptedGraph
from tests.fakes.runtime import SteppedClock

OTHER = "4f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


@dataclass(frozen=True)
class Subject:
    """A Graph, a token for it, and a way to fill it: policy, then ids with names."""

    graph: Graph
    token: str
    fill: Callable[[str, dict[str, str]], None]


@pytest.fixture(scope="module")
def emulated() -> Iterator[EmulatedGraph]:
    """One for the module."""
    with started(EmulatedGraph()) as part:
        part.config(pageSize=2)
        yield part


@pytest.fixture(params=["fake", "emulated"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each, empty."""
    if request.param == "fake":
        fake = ScriptedGraph(SteppedClock(NOW))

        def fill(policy: str, users: dict[str, str]) -> None:
            fake.users[policy] = list(users.items())

        return Subject(fake, "token-1", fill)
    part: EmulatedGraph = request.getfixturevalue("emulated")
    part.control("DELETE", "state")
    adapter = GraphClient(
        root=part.base_url,
        api_version="beta",
        timeout_seconds=20,
        pool_size=2,
        user_agent="test",
        clock=lambda: datetime.now(UTC),
        new_guid=lambda: str(uuid.uuid4()),
    )

    def seed(policy: str, users: dict[str, str]) -> None:
        value = [{"policyId": policy, "id": user, "userPrincipalName": name} for user, name in users.items()]
        part.control("PUT", "state", {"value": value})

    return Subject(adapter, issue(GRAPH_AUDIENCE, [WRITE_ROLE], now=time.time(), lifetime=600), seed)


def entries(subject: Subject, policy: str) -> list[tuple[str, str]]:
    """All of a list, page by page."""
    found: list[tuple[str, str]] = []
    link: str | None = None
    for _ in range(20):
        page = read_list_page(subject.graph.list_user_statuses(policy, link, token=subject.token).reply.result)
        assert page is not None
        found += page.entries
        link = page.next_link
        if link is None:
            return found
    raise AssertionError("a list without end")


def test_a_list_visits_every_user_status_of_its_policy_once(subject: Subject) -> None:
    """Over several pages, and no other policy's."""
    users = {f"id{n}": f"user{n}@contoso.example" for n in range(5)}
    subject.fill(OTHER, {"other": "other@contoso.example"})
    subject.fill(POLICY, users)
    assert sorted(entries(subject, POLICY)) == sorted((name, user) for user, name in users.items())


def test_a_policy_without_user_statuses_has_an_empty_list(subject: Subject) -> None:
    """One page of nothing."""
    assert entries(subject, POLICY) == []


def test_what_was_written_is_read_back_by_its_key(subject: Subject) -> None:
    """And what is not there is a 404."""
    written = subject.graph.patch_user_status(POLICY, USER, EXAMPLE, token=subject.token).reply
    assert written.status_code == 200
    result = subject.graph.read_user_status(POLICY, USER, token=subject.token).reply.result
    assert result is not None
    assert {name: result[name] for name in EXAMPLE} == EXAMPLE
    assert subject.graph.read_user_status(POLICY, "nobody", token=subject.token).reply.status_code == 404
    assert subject.graph.read_policies(token=subject.token).reply.status_code == 200


def test_a_list_without_selection_shows_what_was_written(subject: Subject) -> None:
    """On every page: what a sweep compares."""
    users = {f"id{n}": f"user{n}@contoso.example" for n in range(3)}
    subject.fill(POLICY, users)
    written = {"status": "compliant", "devicesCount": 7}
    for user in users:
        assert subject.graph.patch_user_status(POLICY, user, written, token=subject.token).reply.status_code == 200
    shown: dict[str, dict[str, object]] = {}
    link: str | None = None
    for _ in range(2):
        page = subject.graph.list_user_statuses(POLICY, link, select=False, token=subject.token).reply.result
        assert page is not None
        shown |= {entry["id"]: {name: entry[name] for name in written} for entry in page["value"]}
        link = page.get("@odata.nextLink")
    assert link is None
    assert shown == dict.fromkeys(users, written)
