"""``relay/requirements.txt`` names all that the command line needs."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires

from tests.relay.process import ROOT

_LOADED = """
import sys, relay.commands
found = {name.partition(".")[0] for name, module in sys.modules.items()
         if "site-packages" in (getattr(module, "__file__", None) or "")}
print(*sorted(found))
"""


def canonical(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def with_requirements(names: set[str]) -> set[str]:
    """Return distributions and all that they require, directly or not."""
    found, left = set(names), set(names)
    while left:
        needed = {canonical(re.split(r"[^\w.-]", line)[0]) for name in left for line in requires(name) or ()}
        left = {name for name in needed - found if name in INSTALLED}
        found |= left
    return found


INSTALLED = {canonical(name) for names in packages_distributions().values() for name in names}


def test_the_command_line_loads_only_its_requirements() -> None:
    """It runs where the app's own packages are not installed."""
    lines = (ROOT / "relay" / "requirements.txt").read_text().splitlines()
    named = {canonical(re.split(r"[^\w.-]", line)[0]) for line in lines if not line.startswith("#")}
    printed = subprocess.run([sys.executable, "-c", _LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    owners = packages_distributions()
    loaded = {canonical(owners[module][0]) for module in printed.stdout.split() if module in owners}
    assert loaded <= with_requirements(named)
