"""Pauses and the brake over several hosts, with kills in between."""

import uuid

import pytest
import requests

from emulator.stack import Stack, stack, until
from tests.builders import a_message
from tests.end_to_end.relay import QUICK, listed, queue_is_empty, report, submit

pytestmark = pytest.mark.end_to_end


def call(parts: Stack, method: str, path: str = "", **body: object) -> requests.Response:
    """Call the pauses of the first host."""
    url = f"{parts.base_url}/api/pauses{path}"
    return requests.request(method, url, json=body or None, timeout=30)


def pauses(parts: Stack) -> list[dict[str, object]]:
    """All pauses."""
    value: list[dict[str, object]] = call(parts, "GET").json()["value"]
    return value


def states(parts: Stack) -> list[str | None]:
    """The status detail of every update."""
    return [update["statusDetail"] for update in listed(parts.base_url)]


def test_a_pause_stops_two_hosts_survives_their_kill_and_loses_nothing() -> None:
    """Reports of 60 users come before, while and after it begins; the newest of each stands in the end."""
    users = [str(uuid.uuid4()) for _ in range(60)]
    with stack(2, GRAPH_WRITE_QUOTA="20/10", **QUICK) as parts:
        submit(parts, [report(user, 0) for user in users])
        begun = call(parts, "POST", reason="maintenance").json()
        submit(parts, [report(user, n) for n in (2, 1) for user in users])
        until(lambda: "held" in states(parts) and not {"queued", "waiting"} & {*states(parts)}, 90, "all held")
        until(lambda: queue_is_empty(parts), 30, "an empty queue")
        writes = parts.graph.summary()["writes"]
        for host in parts.hosts:
            host.kill()
        for host in parts.hosts:
            host.start()
        until(lambda: requests.get(f"{parts.base_url}/api/health/live", timeout=30).ok, 60, "a host")
        (shown,) = pauses(parts)
        assert shown["heldCount"] == states(parts).count("held")
        assert parts.graph.summary()["writes"] == writes

        assert call(parts, "DELETE", f"/{begun['id']}").status_code == 204
        until(lambda: parts.graph.summary()["writes"] > writes, 10, "the first write")
        until(lambda: {*states(parts)} <= {"delivered", "superseded"}, 120, "all delivered")
        assert {status["devicesCount"] for status in parts.graph.statuses().values()} == {2}
        assert parts.graph.summary()["writes"] <= writes + 60
        assert call(parts, "DELETE", f"/{begun['id']}").status_code == 404


def test_the_brake_of_two_hosts_lets_exactly_its_number_through() -> None:
    """25 users would become nonCompliant at 20/3600, 40 become compliant; to resume sends the rest."""

    def of(status: str) -> int:
        return sum(user["status"] == status for user in parts.graph.statuses().values())

    with stack(2, CHANGE_BRAKE="nonCompliant=20/3600", **QUICK) as parts:
        wanted = ["nonCompliant"] * 25 + ["compliant"] * 40
        users = [(f"user-{n}", status) for n, status in enumerate(wanted)]
        submit(parts, [a_message(deviceComplianceUserStatusId=n, userStatus={"status": s}) for n, s in users])
        until(lambda: states(parts).count("delivered") == 60, 90, "60 deliveries")
        until(lambda: states(parts).count("held") == 5, 30, "five held updates")
        assert (of("nonCompliant"), of("compliant")) == (20, 40)
        (brake,) = pauses(parts)
        assert (brake["kind"], brake["heldCount"]) == ("brake", 5)
        assert call(parts, "DELETE", f"/{brake['id']}").status_code == 204
        until(lambda: of("nonCompliant") == 25, 60, "the rest")
        assert parts.graph.summary()["writes"] == 65
