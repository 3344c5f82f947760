"""Every Bicep file parses, and files agree with each other and with the app."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.infra.bicep import (
    FILES,
    INFRA,
    ROOT,
    declared,
    extensions,
    modules,
    properties,
    required,
    text,
    tree,
    value,
    walk,
)

MAIN, APP, STORAGE = INFRA / "main.bicep", INFRA / "modules/app.bicep", INFRA / "modules/storage.bicep"
SETTINGS_WITH_DEFAULTS = {
    "GRAPH_BASE_URL", "GRAPH_API_VERSION", "GRAPH_WRITE_QUOTA", "GRAPH_TIMEOUT_SECONDS", "DELIVERY_DEADLINE_HOURS",
    "RETRY_BASE_SECONDS", "RETRY_MAX_SECONDS", "OUTCOME_RETENTION_DAYS", "PUBLIC_BASE_URL",
}  # fmt: skip
#: Names' limits: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
LONGEST = {
    "identity": 128, "storage": 24, "key-vault": 24, "network": 64, "app": 60, "event-grid": 50, "alerts": 100,
}  # fmt: skip
TOKEN = 13


def named(path: Path) -> str:
    """For test ids."""
    return str(path.relative_to(INFRA))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_file_parses(path: Path) -> None:
    """Not one error node."""
    assert [(one.start_point, text(one)) for one in walk(tree(path)) if one.type == "ERROR" or one.is_missing] == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_parameter_and_output_is_described(path: Path) -> None:
    """In a decorator of its own."""
    source = path.read_text()
    names = [*declared(path, "parameter"), *declared(path, "output")]
    assert len(names) == source.count("@description(")


@pytest.mark.parametrize("path", FILES, ids=named)
def test_modules_get_what_they_declare(path: Path) -> None:
    """No parameter that the target lacks, all that it requires; every output that is read exists."""
    source = path.read_text()
    for name, module in modules(path).items():
        assert module.parameters <= declared(module.path, "parameter").keys(), name
        assert required(module.path) <= module.parameters, name
        read = set(re.findall(rf"\b{name}!?\.outputs\.(\w+)", source))
        assert read <= declared(module.path, "output").keys(), name


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_parameter_is_used(path: Path) -> None:
    """And every variable."""
    source = path.read_text()
    for name in [*declared(path, "parameter"), *declared(path, "variable")]:
        assert len(re.findall(rf"\b{name}\b", source)) > 1, name


def test_extensions_are_configured() -> None:
    """In bicepconfig.json, at a version."""
    configured = json.loads((INFRA / "bicepconfig.json").read_text())["extensions"]
    used = {name for path in FILES for name in extensions(path)}
    assert used == configured.keys()
    assert all(re.fullmatch(r"br:mcr\.microsoft\.com/bicep/extensions/\S+:\d+\.\d+\.\d+", one)
               for one in configured.values())  # fmt: skip


def test_the_parameters_file_gives_every_parameter() -> None:
    """From an environment variable each, with main.bicep's own default."""
    source = (INFRA / "main.bicepparam").read_text()
    given = dict(re.findall(r"^param (\w+) = (.+)$", source, re.MULTILINE))
    assert given.keys() == declared(MAIN, "parameter").keys()
    for name, expression in given.items():
        default = re.search(r"readEnvironmentVariable\('\w+', '(.*?)'\)", expression)
        own = re.search(rf"^param {name} [^=\n]+ = (.+)$", MAIN.read_text(), re.MULTILINE)
        assert (default is None) == (own is None), name
        if default and own:
            assert default[1].replace('"', "'").strip("'") == own[1].strip("'"), name


def test_every_setting_is_set_or_has_a_default() -> None:
    """And nothing is set that nobody reads."""
    code = (ROOT / "shared/settings/__init__.py").read_text()
    read = set(re.findall(r'"((?:UPDATES|GRAPH|AZURE|DELIVERY|RETRY|OUTCOME|WEBHOOK|PUBLIC)_[A-Z_]+)"', code))
    variables = declared(APP, "variable")
    given = {key for name in ("settings", "webhookSettings") for node in walk(variables[name])
             if node.type == "object" for key in properties(node)}  # fmt: skip
    storage = {name for name in given if name.startswith("UPDATES_STORAGE__")}
    assert {f"UPDATES_STORAGE__{one}" for one in ("queueServiceUri", "tableServiceUri", "credential", "clientId")} == (
        storage
    )
    host = {f"AzureWebJobsStorage__{one}" for one in ("accountName", "credential", "clientId")}
    telemetry = {"APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
                 "PYTHON_ENABLE_OPENTELEMETRY"}  # fmt: skip
    own = given - storage - host - telemetry - {"PYTHON_THREADPOOL_THREAD_COUNT"}
    assert host | telemetry <= given
    assert own <= read
    assert read - own - {"UPDATES_STORAGE"} <= SETTINGS_WITH_DEFAULTS


def test_the_tables_that_the_app_uses_are_made() -> None:
    """By the names in shared/wiring/adapters.py."""
    code = (ROOT / "shared/wiring/adapters.py").read_text()
    used = set(re.findall(r'table\("(\w+)"\)', code))
    made = set(re.findall(r"'(\w+)'", text(declared(STORAGE, "variable")["tables"])))
    assert len(used) >= 6
    assert used == made


def test_threads_and_http_concurrency_agree() -> None:
    """As many requests at a time as the worker has threads, on purpose."""
    threads = re.search(r"PYTHON_THREADPOOL_THREAD_COUNT: '(\d+)'", APP.read_text())
    concurrency = re.search(r"param httpConcurrency int = (\d+)", MAIN.read_text())
    assert threads is not None
    assert concurrency is not None
    assert threads[1] == concurrency[1]


def test_no_name_is_too_long() -> None:
    """Prefix and token stay within each resource's limit; a storage account has lower-case letters and digits only."""
    names = {}
    for path, node in ((one.path, declared(MAIN, "module")[name]) for name, one in modules(MAIN).items()):
        given = properties(value(node, "params"))
        if "name" in given or "namePrefix" in given:
            names[path.stem] = text(given.get("name") or given["namePrefix"]).strip("'")
    assert names.keys() == LONGEST.keys()
    for module, name in names.items():
        assert len(name.replace("${token}", "")) + TOKEN <= LONGEST[module], module
    assert re.fullmatch(r"[a-z0-9]+\$\{token\}", names["storage"])
    rules = re.findall(r"^ {4}name: '([a-z-]+)'$", (INFRA / "modules/alerts.bicep").read_text(), re.MULTILINE)
    assert max(len(rule) for rule in rules) + len(names["alerts"]) - len("${token}") + TOKEN + 1 <= LONGEST["alerts"]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("storage", ["allowSharedKeyAccess: false", "allowBlobPublicAccess: false", "minimumTlsVersion: 'TLS1_2'",
                     "supportsHttpsTrafficOnly: true", "allowCrossTenantReplication: false"]),
        ("app", ["httpsOnly: true", "minTlsVersion: '1.2'", "name: 'FC1'", "version: '3.13'",
                 "type: 'UserAssignedIdentity'"]),
        ("monitoring", ["disableLocalAuth: true", "DisableLocalAuth: true"]),
        ("key-vault", ["enableRbacAuthorization: true", "enablePurgeProtection: true"]),
        ("event-grid", ["disableLocalAuth: true", "minimumTlsVersionAllowed: '1.2'",
                        "queueMessageTimeToLiveInSeconds: -1"]),
    ],
)  # fmt: skip
def test_what_is_hardened_stays_so(file: str, lines: list[str]) -> None:
    """No keys, no plain text, no public blobs."""
    source = (INFRA / f"modules/{file}.bicep").read_text()
    assert [line for line in lines if line not in source] == []
    assert not re.search(r"listKeys|AccountKey=|SharedAccessKey", source)


def test_authentication_leaves_open_what_the_app_leaves_open() -> None:
    """Anonymous routes of function_app.py, the catch-all aside."""
    code = (ROOT / "function_app.py").read_text()
    anonymous = re.findall(r'@app\.route\(\s*"([^"]+)"[^)]*?AuthLevel\.ANONYMOUS', code)
    excluded = set(re.findall(r"'(/api/[^']+)'", APP.read_text()))
    for route in anonymous:
        if route.startswith(("health", "openapi", "webhooks")):
            assert "/api/" + re.sub(r"\{\w+\}", "*", route) in excluded, route
    assert len(excluded) == 4


def test_azure_yaml_names_what_is_there() -> None:
    """The service is the app's tag; hooks exist."""
    project = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert project["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    [(service, options)] = project["services"].items()
    assert f"'azd-service-name': '{service}'" in APP.read_text()
    assert (options["host"], options["language"], options["project"]) == ("function", "py", ".")
    assert all((ROOT / one["run"]).is_file() for one in project["hooks"]["postprovision"].values())


def test_only_the_app_is_packaged() -> None:
    """What .funcignore leaves is what runs."""

    def listed(*options: str) -> set[str]:
        command = ["git", "-c", "core.quotepath=off", "ls-files", "--cached", *options]
        return set(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n"))

    packaged = listed() - listed("--ignored", "--exclude-from=.funcignore") - {""}
    others = {one for one in packaged if not one.startswith("shared/")}
    assert others == {".funcignore", "function_app.py", "host.json", "requirements.txt"}


def test_every_variable_of_the_parameters_file_is_known_to_readme_and_pipeline() -> None:
    """A deployment by workflow that lost one would undo it; azd itself sets name and region."""
    variables = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text()))
    variables -= {"AZURE_ENV_NAME", "AZURE_LOCATION"}
    readme = (ROOT / "README.md").read_text()
    assert [one for one in variables if f"`{one}`" not in readme] == []
    pipeline = yaml.safe_load((ROOT / "azure.yaml").read_text())["pipeline"]
    assert set(pipeline["variables"]) == variables
