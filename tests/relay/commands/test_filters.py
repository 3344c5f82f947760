"""Filters on the command line: every filter of the API has an option, and is sent under its name."""

import json
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from relay.commands.options import FilterOptions
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
    """A filter that the API learns later fails here until it has an option."""
    every = FilterOptions(**{field.name: field.name for field in fields(FilterOptions)})
    assert set(FILTERS) <= set(every.query())
    assert FilterOptions(policy="p").query() == {"deviceCompliancePolicyId": "p"}


@pytest.mark.parametrize("command", ["list", "watch", "replay"])
def test_filters_are_sent_under_their_names(command: str) -> None:
    """``list`` and ``watch`` send a query, ``replay`` a body."""
    sent: list[dict[str, Any]] = []

    def answer(_method: str, target: str, _headers: dict[str, str], body: bytes) -> Response:
        if target.startswith("/api/updates"):
            query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
            sent.append(json.loads(body) if body else query)
        counts = {"value": [], "matched": 0, "quota": {"seconds": 20.0}}
        return 200, {}, json.dumps(counts).encode()

    more = {"watch": ["--rounds", "1"], "replay": ["--dry-run"], "list": []}[command]
    with listening(answer) as url:
        done = run(url, command, *more, *(text for pair in VALUES.items() for text in pair))
    assert done.status == 0, done.err
    given = {option[2:].replace("-", "_"): value for option, value in VALUES.items()}
    expected = FilterOptions(**given).query()
    assert expected.items() <= sent[0].items()
