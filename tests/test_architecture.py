"""What the house promises about itself, looked at by a machine."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from shared.service.delivery.take_turn import MAX_WRITES
from shared.service.rate_limiter.limiter import MAX_READ_WAIT_MILLISECONDS, MAX_WAIT_MILLISECONDS
from shared.settings import InvalidSettings, Settings

ROOT = Path(__file__).parent.parent
APP = sorted((ROOT / "shared").rglob("*.py"))
BESIDE = [path for folder in ("emulator", "relay") for path in sorted((ROOT / folder).glob("*.py"))]
CODE = [*APP, ROOT / "function_app.py", *BESIDE]
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All nodes of a module's syntax tree."""
    return list(ast.walk(parsed(path)))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a module, nested ones too."""
    return [node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def bound_names(path: Path) -> set[str]:
    """The names of a module's variables and parameters."""
    variables = {node.id for node in nodes(path) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return variables | {node.arg for node in nodes(path) if isinstance(node, ast.arg)}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_fits_a_screen_or_two_and_says_what_it_promises(path: Path) -> None:
    """At most 250 lines, a docstring, no function over 40 lines; the table of contents has as many as triggers need."""
    text = path.read_text()
    assert text.count("\n") <= 250 or path.name == "function_app.py"
    assert ast.get_docstring(parsed(path))
    assert [node.name for node in functions(path) if (node.end_lineno or 0) - node.lineno > 40] == []


def test_a_test_module_fits_a_screen_or_two() -> None:
    """At most 250 lines: a longer one holds more than one behaviour."""
    assert [str(path.relative_to(ROOT)) for path in TESTS if path.read_text().count("\n") > 250] == []


def test_a_variable_is_named_by_a_noun() -> None:
    """`one` says nothing of what it holds."""
    assert [str(path.relative_to(ROOT)) for path in [*CODE, *TESTS] if "one" in bound_names(path)] == []


def test_the_formatter_lays_out_every_module() -> None:
    """A call that needs a layout of its own is a smaller call."""
    assert [str(path.relative_to(ROOT)) for path in CODE if "# fmt: skip" in path.read_text()] == []


def test_no_module_is_named_for_nothing() -> None:
    """A name is an idea."""
    assert not {path.stem for path in CODE} & {"utils", "helpers", "common", "misc", "manager", "process", "data"}


def test_the_table_of_contents_only_binds() -> None:
    """No if, no try, no loop; every function is one return."""
    tree = parsed(ROOT / "function_app.py")
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.Try | ast.For | ast.While)]
    for function in functions(ROOT / "function_app.py"):
        assert len(function.body) == 2, function.name


@pytest.mark.parametrize("path", APP, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_broad_except_says_why_it_is_a_boundary(path: Path) -> None:
    """On its own line."""
    lines = path.read_text().splitlines()
    for node in nodes(path):
        if isinstance(node, ast.ExceptHandler) and (
            node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        ):
            assert "the boundary" in lines[node.lineno - 1]


def test_no_test_mocks_or_sleeps() -> None:
    """Fakes and conditions instead."""
    for path in TESTS:
        for node in nodes(path):
            match node:
                case ast.Import() | ast.ImportFrom():
                    assert "mock" not in ast.unparse(node), path
                case ast.Call(ast.Attribute(ast.Name("time"), "sleep")):
                    raise AssertionError(path)


def test_host_json_keeps_the_queue_patient_and_http_free() -> None:
    """The settings that contract and facts ask for."""
    host = json.loads((ROOT / "host.json").read_text())
    queues = host["extensions"]["queues"]
    assert host["extensionBundle"]["version"] == "[4.0.0, 5.0.0)"
    assert host["telemetryMode"] == "OpenTelemetry"
    assert queues["messageEncoding"] == "none"
    assert (queues["maxPollingInterval"], queues["visibilityTimeout"]) == ("00:00:01", "00:00:30")
    assert queues["maxDequeueCount"] >= 50
    threads = int(
        json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]["PYTHON_THREADPOOL_THREAD_COUNT"]
    )
    lanes = 2
    assert lanes * (queues["batchSize"] + queues["newBatchThreshold"]) <= threads * 2 / 3


def test_an_invocation_ends_within_the_hosts_limit() -> None:
    """It waits in place for five minutes at most; then come calls of the longest limit, tokens and storage."""
    hours, minutes, seconds = map(int, json.loads((ROOT / "host.json").read_text())["functionTimeout"].split(":"))
    in_place = (MAX_WAIT_MILLISECONDS + MAX_READ_WAIT_MILLISECONDS) / 1000
    assert in_place <= 5 * 60
    with pytest.raises(InvalidSettings):
        Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", "GRAPH_TIMEOUT_SECONDS": "231"})
    assert hours * 3600 + minutes * 60 + seconds >= in_place + MAX_WRITES * 230 + 2 * 60


def test_every_requirement_has_its_reason() -> None:
    """One line each."""
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert all("#" in line and ">=" in line and "<" in line for line in lines)


_LOADED = """
import sys, threading, function_app
observed = ("opentelemetry", "azure.monitor", "shared.adapters.telemetry")
assert threading.active_count() == 1
assert "ports" not in function_app.relay.__dict__
function_app.relay.ports
found = [name for name in sys.modules if name.startswith(observed)]
assert not found, found
"""


def test_importing_the_app_does_no_work_and_costs_no_telemetry() -> None:
    """No connection, no thread: a host can index it anywhere. Without a connection string nothing observes it."""
    env = {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "PATH": ""}
    subprocess.run([sys.executable, "-W", "error", "-c", _LOADED], check=True, cwd=ROOT, env=env)
