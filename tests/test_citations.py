"""Every citation leads to a place in this repository or to a public source."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FACTS = ROOT / "docs" / "graph-facts.md"
#: Documents that are not in the repository.
ELSEWHERE = re.compile(r"contract(?:'s)? section|\bfacts, section|\.\./shared/|reference/facts", re.IGNORECASE)
LINK = re.compile(r"graph-facts\.md#([\w-]+)")
BARE = re.compile(r"(?<![\w#/])F\d{1,2}(?![\w-])")


def texts() -> list[Path]:
    """Every tracked text that people wrote."""
    names = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True, cwd=ROOT).stdout.split("\n")
    kinds = {".py", ".md", ".js", ".bicep", ".kql", ".toml", ".txt", ".yml", ".yaml", ".sh", ".ps1", ".css", ".html"}
    return [ROOT / name for name in names if Path(name).suffix in kinds and (ROOT / name).exists()]


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_citation_leads_out_of_the_repository(path: Path) -> None:
    """A rule is stated, or linked where a reader of the repository can follow."""
    text = path.read_text(errors="replace")
    assert path == Path(__file__) or ELSEWHERE.findall(text) == []
    if path == FACTS:
        return
    anchors = {heading.lower() for heading in re.findall(r"^#+ (.+)$", FACTS.read_text(), re.MULTILINE)}
    assert [name for name in LINK.findall(text) if name not in anchors] == []
    without_links = re.sub(r"\[F\d+\]\([^)]*\)", "", text)
    assert path == Path(__file__) or BARE.findall(without_links) == []
