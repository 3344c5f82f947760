"""What would be deployed, as `bicep snapshot` evaluates it: infra/snapshots."""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
README = INFRA / "README.md"
SNAPSHOTS = ("defaults", "everything")

type Resource = dict[str, Any]

#: What only Azure knows stays an expression. These are the words for them.
_EXPRESSIONS = {
    r"reference\('[^']*/userAssignedIdentities/[^']*', '[^']*'\)\.(client|principal)Id": r"\1 id of the identity",
    r"reference\('[^']*/components/[^']*', '[^']*'\)\.ConnectionString": "connection string of Application Insights",
    r"reference\('[^']*/storageAccounts/[^']*', '[^']*'\)\.primaryEndpoints\.(\w+)": r"\1 address of the storage",
    r"reference\('[^']*/vaults/[^']*', '[^']*'\)\.vaultUri": "address of the key vault",
    r"reference\('[^']*/topics/[^']*', '[^']*', 'full'\)\.identity\.principalId": "principal id of the topic",
}
_FORMAT = re.compile(r"^format\('([^']*)', (.*)\)$")


@cache
def load(name: str) -> list[Resource]:
    """Return every resource of a snapshot."""
    resources: list[Resource] = json.loads((INFRA / f"snapshots/{name}.snapshot.json").read_text())[
        "predictedResources"
    ]
    return resources


def of(name: str, kind: str) -> list[Resource]:
    """Return the resources of a type, such as ``Microsoft.Web/sites``."""
    return [resource for resource in load(name) if resource["type"] == kind]


def words(value: str) -> str:
    """Return an expression as words, and any other value as it is."""
    if not value.startswith("["):
        return value
    text = value[1:-1]
    for pattern, replacement in _EXPRESSIONS.items():
        text = re.sub(pattern, replacement, text)
    if parts := _FORMAT.match(text):
        arguments = [argument.strip("'") for argument in parts[2].split(", ")]
        return parts[1].format(*(f"<{argument}>" if " of the " in argument else argument for argument in arguments))
    return text


def table(heading: str) -> list[dict[str, str]]:
    """Return the first table below a heading of infra/README.md, a dictionary a row; code marks are left out."""
    section = README.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def only[T](values: Iterable[T]) -> T:
    """Return the one value there is."""
    [value] = values
    return value
