"""Queries are valid KQL, look for what really leaves the app, and mean what the alerts say."""

import os
import subprocess
import sys

import pytest

from tests.end_to_end.collector import collector
from tests.infra.alert_rules import RULES, Row, rows
from tests.infra.exported import SCENARIOS
from tests.infra.queries import MODULE, alerts, documented, findings, names
from tests.infra.snapshots import ROOT, SNAPSHOTS, of

ALL = alerts() | documented()
#: Azure itself writes these tables.
OF_AZURE = ("_LogOperation", "FunctionAppLogs", "StorageBlobLogs")


def exported(scenario: str) -> dict[str, list[Row]]:
    """Return the rows that a scenario sends to a local ingestion endpoint."""
    with collector() as taken:
        environment = os.environ | taken.environment | {"OTEL_METRIC_EXPORT_INTERVAL": "600000"}
        subprocess.run([sys.executable, "-m", "tests.infra.exported", scenario], cwd=ROOT, env=environment, check=True)
    return rows(taken.envelopes)


@pytest.fixture(scope="module")
def received() -> dict[str, dict[str, list[Row]]]:
    """The rows of each scenario."""
    return {scenario: exported(scenario) for scenario in SCENARIOS}


@pytest.mark.skipif(not MODULE.is_dir(), reason="npm ci installs @kusto/language-service-next")
def test_microsofts_parser_finds_nothing_in_any_query() -> None:
    """Names and types against the tables of Application Insights; a misspelt column is found."""
    assert [query for query in zip(ALL, findings(list(ALL.values())), strict=True) if query[1]] == []
    assert findings(['customMetrics | where nme == "x"']) != [[]]


@pytest.mark.parametrize("rule", [name for name in alerts() if name in RULES])
def test_an_alert_fires_in_trouble_and_not_in_health(rule: str, received: dict[str, dict[str, list[Row]]]) -> None:
    """Over what the real exporter sent; `silent` fires where nothing came."""
    troubled = rows([]) if rule == "silent" else received["trouble"]
    assert RULES[rule].fires(troubled)
    assert not RULES[rule].fires(received["healthy"])


@pytest.mark.parametrize("where", [name for name, query in ALL.items() if not query.startswith(OF_AZURE)])
def test_a_query_looks_for_what_leaves_the_app(where: str, received: dict[str, dict[str, list[Row]]]) -> None:
    """Every metric, log text and attribute is in a row that the ingestion endpoint received."""
    tables = received["trouble"]
    sent = {
        "name": {row["name"] for row in tables["customMetrics"]},
        "message": {row["message"] for row in tables["traces"]},
        "attribute": {key for table in tables.values() for row in table for key in row["customDimensions"]},
    }
    for kind, wanted in names(ALL[where]).items():
        assert wanted <= sent[kind], kind


def test_an_exception_that_leaves_a_queue_function_reaches_exceptions(
    received: dict[str, dict[str, list[Row]]],
) -> None:
    """The host keeps it to itself where the app sends its own telemetry: the runbook would find nothing."""
    [fault] = [row["exceptions"][0] for row in received["trouble"]["exceptions"]]
    assert "Unavailable" in f"{fault['typeName']} {fault['message']}"


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_deployment_compares_as_the_rules_here_do(name: str) -> None:
    """The same thresholds in the same direction."""
    for alert in of(name, "Microsoft.Insights/scheduledQueryRules"):
        [criterion] = alert["properties"]["criteria"]["allOf"]
        rule = alert["name"].split("-", 2)[2]
        assert criterion["query"] == alerts()[rule]
        if rule in RULES:
            assert criterion["threshold"] == RULES[rule].threshold
            assert criterion["operator"] == ("LessThan" if RULES[rule].below else "GreaterThan")
