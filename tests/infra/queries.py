"""Every KQL query of the project: those of the alerts, and those that the docs show."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

from tests.infra.snapshots import INFRA, ROOT

_KQL = Path(__file__).with_name("kql.cjs")
_FENCE = re.compile(r"^```kusto\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODULE = ROOT / "node_modules/@kusto/language-service-next"


@cache
def alerts() -> dict[str, str]:
    """Return the alerts' queries by name."""
    return {path.stem: path.read_text() for path in sorted((INFRA / "alerts").glob("*.kql"))}


@cache
def documented() -> dict[str, str]:
    """Return the docs' queries by file and number."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(INFRA.glob("*.md"))]
    return {
        f"{page.relative_to(ROOT)}#{number}": query
        for page in pages
        for number, query in enumerate(_FENCE.findall(page.read_text()), 1)
    }


def findings(queries: list[str]) -> list[list[str]]:
    """Return what Microsoft's parser finds, for each query."""
    done = subprocess.run(["node", str(_KQL)], input=json.dumps(queries), capture_output=True, text=True, check=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def names(query: str) -> dict[str, set[str]]:
    """Return the metrics, log texts and attributes that a query looks for."""
    compared = {"name": set[str](), "message": set[str]()}
    for column, single, several in re.findall(r'\b(name|message) (?:== "([^"]+)"|in \(([^)]+)\))', query):
        compared[column] |= {single} if single else set(re.findall(r'"([^"]+)"', several))
    attributes = re.findall(r'customDimensions(?:\["([^"]+)"\]|\.(\w+))', query)
    return compared | {"attribute": {bracket or dot for bracket, dot in attributes}}
