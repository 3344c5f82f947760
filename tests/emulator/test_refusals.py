"""Graph's own refusals of a whole tenant, and its successes that are none."""

from typing import Any

import pytest

from emulator.stack import EmulatedGraph
from tests.builders import POLICY
from tests.emulator.callers import GraphCaller


@pytest.mark.parametrize(
    ("kind", "status", "code", "words"),
    [
        ("approvalHeader", 400, "BadRequest", "x-msft-approval-justification"),
        ("approvalRequired", 403, "ApprovalRequired", "Approval"),
        ("approvalCode", 412, "PreconditionFailed", "approval"),
    ],
)
def test_multi_admin_approval_refuses_writes_alone(
    graph: EmulatedGraph, kind: str, status: int, code: str, words: str
) -> None:
    """Reads are exempt."""
    caller = GraphCaller(graph.base_url)
    graph.fault(kind, count=None)
    refused = caller.write()
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (status, code)
    assert words in error["message"]
    assert ("x-msft-approval-code" in refused.headers) == (kind == "approvalCode")
    assert caller.page().status_code == 200
    assert caller.read().status_code == 404


def test_without_a_licence_every_call_is_refused(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Reads too."""
    graph.fault("noLicence", count=None)
    refusals = [caller.write(), caller.read(), caller.page(), caller.policies(), caller.ask("GET", f"/{POLICY}")]
    assert {refusal.status_code for refusal in refusals} == {400}
    assert {refusal.json()["error"]["message"] for refusal in refusals} == {"Request not applicable to target tenant."}


@pytest.mark.parametrize(
    "code", ["serviceNotAvailable", "generalException", "timeout", "activityLimitReached", "UnknownError"]
)
def test_a_code_that_passes_can_come_with_400(graph: EmulatedGraph, caller: GraphCaller, code: str) -> None:
    """Any code can."""
    graph.fault("status", status=400, code=code)
    assert caller.write().json()["error"]["code"] == code


def test_a_success_can_carry_an_error(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """PATCH, single read, and a list page that has entries too."""
    graph.fault("errorInSuccess", count=2)
    graph.fault("errorInSuccess", members={"value": [{"id": "u0"}]})
    answers = [caller.write(), caller.read(), caller.page()]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(answer.json()["error"]["code"] == "generalException" for answer in answers)
    assert answers[2].json()["value"] == [{"id": "u0"}]
    assert not graph.statuses()


@pytest.mark.parametrize(("kind", "text"), [("null", "null"), ("empty", ""), ("garbage", "<<< this is not JSON >>>")])
def test_a_success_without_a_user_status_is_one(
    graph: EmulatedGraph, caller: GraphCaller, kind: str, text: str
) -> None:
    """The write is applied; a read shows nothing."""
    graph.fault(kind, count=2)
    written = caller.write(7)
    assert (written.ok, written.text) == (True, text)
    assert caller.read().text == text
    assert graph.statuses()["u0"]["devicesCount"] == 7


@pytest.mark.parametrize(
    "fault", [{"levels": 2, "status": 400}, {"levels": 3, "status": 503, "retryAfter": 3, "code": "Busy"}]
)
def test_intune_puts_json_into_its_message(graph: EmulatedGraph, caller: GraphCaller, fault: dict[str, Any]) -> None:
    """Twice with three levels."""
    graph.fault("intuneNested", **fault)
    response = caller.write()
    assert response.status_code == fault["status"]
    assert "Operation ID" in response.json()["error"]["message"]
