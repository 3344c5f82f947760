"""The package holds the app and what is locked, whatever else lies in the folder."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.snapshots import INFRA, ROOT, of, only

SCRIPT = INFRA / "scripts/package.py"
#: What a working copy has besides the tracked files.
DIRT = (
    ".env",
    ".env.local",
    ".azure/test/.env",
    ".azurite/blob",
    ".coverage",
    ".coverage.1",
    ".hypothesis/a",
    ".mypy_cache/a",
    ".pytest_cache/a",
    ".ruff_cache/a",
    ".import_linter_cache/a",
    ".venv/bin/python",
    ".venv-checkov/pyvenv.cfg",
    ".python_packages/lib/site-packages/a.py",
    ".package/old.py",
    "__pycache__/a.pyc",
    "htmlcov/index.html",
    "local.settings.json",
    "node_modules/a.js",
    "shared/__pycache__/a.pyc",
    "shared/web/.DS_Store",
    "tests/__pycache__/a.pyc",
)
#: A build on the machine of Core Tools puts packages here, and they belong to the package.
PACKAGES = ".python_packages/lib/site-packages/a.py"


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    """Return a copy of the tracked files, with everything that work leaves behind."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, target)
    for name in DIRT:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("RELAY_KEY=secret")
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    return tmp_path


def files(folder: Path) -> set[str]:
    """Return all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def tracked(folder: Path) -> set[str]:
    """Return what is committed of the app itself."""
    listed = subprocess.run(["git", "ls-files", "-z", "shared"], cwd=ROOT, check=True, capture_output=True, text=True)
    return {name for name in listed.stdout.split("\0") if name and (folder / name).is_file()}


def listed(folder: Path, *options: str) -> set[str]:
    """Return what git lists of a folder in which nothing is committed."""
    command = ["git", "ls-files", "-z", "--others", *options]
    return set(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split("\0")) - {
        ""
    }


def test_azd_deploys_the_app_and_what_is_locked_and_nothing_else(dirty: Path) -> None:
    """Of a dirty tree too; the requirements are the lock, with its hashes."""
    script = dirty / SCRIPT.relative_to(ROOT)
    subprocess.run([sys.executable, str(script), "--without-packages"], check=True, capture_output=True)
    package = dirty / ".package"
    assert files(package) == tracked(dirty) | {"function_app.py", "host.json", "requirements.txt"}
    assert (package / "requirements.txt").read_text() == (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in (package / "requirements.txt").read_text()


def test_core_tools_leave_out_what_is_not_the_app(dirty: Path) -> None:
    """By .funcignore, which is all that they look at."""
    packaged = listed(dirty) - listed(dirty, "--ignored", "--exclude-from=.funcignore")
    assert packaged == tracked(dirty) | {"function_app.py", "host.json", "requirements.txt", PACKAGES}


def test_git_ignores_what_work_leaves_behind(dirty: Path) -> None:
    """No secret and no cache is ever committed by accident."""
    wanted = listed(dirty, "--exclude-standard")
    assert {name for name in DIRT if name in wanted} == set()


def test_the_lock_is_the_same_for_every_machine_that_deploys() -> None:
    """Markers of system or version would be read for the machine that packs."""
    markers = re.findall(r"^\S+==\S+ ; (.+?) ?\\\\?$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert [
        marker
        for marker in markers
        if re.search(r"python_(full_)?version|sys_platform|platform_(system|machine)|os_name", marker)
    ] == []


def test_packages_are_installed_by_hash_for_the_machine_of_the_app(tmp_path: Path) -> None:
    """A wheel that differs stops the deployment; no source is built; the machine that deploys does not matter."""
    command = " ".join(runpy.run_path(str(SCRIPT))["pip_command"](tmp_path))
    runtime = only(of("defaults", "Microsoft.Web/sites"))["properties"]["functionAppConfig"]["runtime"]["version"]
    for option in ("--require-hashes", "--only-binary :all:", f"--python-version {runtime}", "--platform manylinux"):
        assert option in command
