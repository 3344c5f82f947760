"""Microsoft's Bicep CLI over infra/: `python -m tests.infra.compiler [check | write | arm DIRECTORY]`.

`check` builds, lints and compares the layout of every file, and compares both snapshots. Each warning is a failure.
`write` rewrites the layout and the snapshots. `arm` writes each snapshot as one flat ARM template, for scanners.

The CLI is `$BICEP`, or `bicep` on the PATH. infra/entra needs the types of the Microsoft Graph extension. The CLI takes
them from their registry, unless a `microsoftgraph-*.tgz` is beside the CLI or `$BICEP_GRAPH_EXTENSION` names one.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.infra.snapshots import INFRA, ROOT, SNAPSHOTS, load

_SCOPE = (
    "--subscription-id",
    "00000000-0000-0000-0000-000000000001",
    "--tenant-id",
    "00000000-0000-0000-0000-000000000002",
    "--location",
    "westeurope",
    "--deployment-name",
    "relay",
)
_EXTENSION = "microsoftGraphV1"
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


@dataclass(frozen=True)
class Compiler:
    """The Bicep CLI over one copy of infra/."""

    command: str
    infra: Path

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, output and findings."""
        environment = os.environ | {
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
            "NO_COLOR": "1",
            "AZURE_ENV_NAME": "test",
            "AZURE_LOCATION": "westeurope",
        }
        done = subprocess.run([self.command, *arguments], env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def sources(self) -> list[Path]:
        """Return every file that the CLI has a layout for."""
        return sorted([*self.infra.rglob("*.bicep"), *self.infra.rglob("*.bicepparam")])

    def roots(self) -> list[Path]:
        """Return what is deployed. The CLI finds the modules, and their faults, from there."""
        return sorted([self.infra / "main.bicep", *self.infra.glob("entra/*.bicep")])

    def findings(self) -> Iterator[str]:
        """Yield what the CLI finds in any file, linter rules included."""
        for root in self.roots():
            yield from self._complaint("build", str(root), "--stdout")
        yield from self._complaint("build-params", str(self.infra / "main.bicepparam"), "--stdout")
        before = {source: source.read_text() for source in self.sources()}
        self.format()
        for source, layout in before.items():
            if source.read_text() != layout:
                yield f"{source.relative_to(self.infra)}: bicep format changes it: make bicep-write"

    def format(self) -> None:
        """Rewrite the layout of every file."""
        for suffix in ("bicep", "bicepparam"):
            self.run("format", "--pattern", f"{self.infra}/**/*.{suffix}")

    def snapshot(self, mode: str) -> Iterator[str]:
        """Overwrite or validate each snapshot, and yield what differs."""
        for name in SNAPSHOTS:
            parameters = self.infra / f"snapshots/{name}.bicepparam"
            code, output, complaint = self.run("snapshot", str(parameters), *_SCOPE, "--mode", mode)
            if code or complaint:
                yield f"snapshots/{name}: {output}{complaint}"

    def _complaint(self, *arguments: str) -> Iterator[str]:
        code, _, complaint = self.run(*arguments)
        if code or complaint:
            yield complaint or f"{' '.join(arguments)}: exit code {code}"


def find() -> str | None:
    """Return the CLI, if there is one."""
    return os.environ.get("BICEP") or shutil.which("bicep")


def _offline_types(command: str) -> Path | None:
    if named := os.environ.get("BICEP_GRAPH_EXTENSION"):
        return Path(named)
    return next(iter(sorted(Path(command).resolve().parent.glob("microsoftgraph-*.tgz"))), None)


def _use_types(infra: Path, types: Path) -> None:
    shutil.copy(types, infra / "entra/types.tgz")
    path = infra / "entra/bicepconfig.json"
    configuration = json.loads(path.read_text())
    configuration["extensions"][_EXTENSION] = "./types.tgz"
    path.write_text(json.dumps(configuration))


def check(command: str) -> int:
    """Print every finding; 0 where there is none."""
    with tempfile.TemporaryDirectory() as directory:
        infra = Path(shutil.copytree(INFRA, Path(directory) / "infra"))
        if types := _offline_types(command):
            _use_types(infra, types)
        compiler = Compiler(command, infra)
        files = len(compiler.sources())
        found = [*compiler.findings(), *compiler.snapshot("validate")]
    print(*found, f"bicep: {files} files, {len(found)} findings", sep="\n")
    return int(bool(found))


def write(command: str) -> int:
    """Rewrite the layout of each file, then both snapshots."""
    compiler = Compiler(command, INFRA)
    compiler.format()
    found = list(compiler.snapshot("overwrite"))
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


def arm(directory: Path) -> int:
    """Write each snapshot as a flat template: scanners do not look into nested deployments."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in SNAPSHOTS:
        template = {"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "resources": load(name)}
        (directory / f"{name}.json").write_text(json.dumps(template, indent=1))
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run one command."""
    match list(arguments) or ["check"]:
        case ["arm", directory]:
            return arm(Path(directory))
        case ["check" | "write" as name]:
            command = find()
            if command is None:
                print("bicep: skipped, there is no Bicep CLI: set BICEP, or put bicep on the PATH")
                return 0
            return check(command) if name == "check" else write(command)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
