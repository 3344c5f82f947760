"""Filters on the command line: every filter of the API has an option, and is sent under its name."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from relay.commands.options import FILTER_OPTIONS, filters
from shared.core.delivery.outcome_filter import FILTERS
from tests.relay.process import run
from tests.relay.relay_server import Response, listening

VALUES = {
    "--status": "failed",
    "--status-detail": "queued",
    "--error-code": "graphRejected",
    "--policy": "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "--user-status": "u",
    "--source": "hr",
    "--idempotency-key": "k",
    "--created-after": "2026-11-23T20:30:00Z",
    "--created-before": "2026-11-24T20:30:00Z",
}


def test_every_filter_of_the_api_has_an_option() -> None:
    """One that the API learns later is missing here until it has one."""
    assert set(FILTERS) <= set(FILTER_OPTIONS.values())
    assert filters(policy="p", source=None) == {"deviceCompliancePolicyId": "p"}


@pytest.mark.parametrize(
    ("command", "without"),
    [("list", ()), ("watch", ()), ("replay", ("--status-detail",))],
)
def test_filters_are_sent_under_their_names(command: str, without: tuple[str, ...]) -> None:
    """``list`` and ``watch`` send a query, ``replay`` a body."""
    sent: list[dict[str, Any]] = []

    def answer(_method: str, target: str, _headers: dict[str, str], body: bytes) -> Response:
        if target.startswith("/api/updates"):
            query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
            sent.append(json.loads(body) if body else query)
        counts = {"value": [], "matched": 0, "quota": {"seconds": 20.0}}
        return 200, {}, json.dumps(counts).encode()

    given = {option: value for option, value in VALUES.items() if option not in without}
    more = {"watch": ["--rounds", "1"], "replay": ["--dry-run"], "list": []}[command]
    with listening(answer) as url:
        done = run(url, command, *more, *(text for pair in given.items() for text in pair))
    assert done.status == 0, done.err
    expected = {FILTER_OPTIONS[option[2:].replace("-", "_")]: value for option, value in given.items()}
    assert expected.items() <= sent[0].items()
