"""azure.yaml, parameters, workflows and the folder of the administrator agree with each other and with the docs."""

import json
import re

import pytest
import yaml

from tests.infra.snapshots import INFRA, ROOT, of, only

PARAMETERS = (INFRA / "main.bicepparam").read_text()
MAIN = (INFRA / "main.bicep").read_text()
#: azd itself sets name and region. A lock needs a right that a workflow must not have.
NOT_IN_THE_PIPELINE = {"AZURE_ENV_NAME", "AZURE_LOCATION", "LOCK_ENABLED"}
#: The default is the cloud that is deployed to; nobody has to set it.
DERIVED = {"azureCloud"}
PERMISSION = "9241abd9-d0e6-425a-bd4f-47ba86e767a4"


def variables() -> set[str]:
    """Return the environment variables that the parameters file reads."""
    return set(re.findall(r"readEnvironmentVariable\(\s*'(\w+)'", PARAMETERS))


def test_the_parameters_file_gives_every_parameter_with_its_own_default() -> None:
    """A default that differed would be a default that nobody sees in main.bicep."""
    declared = dict(re.findall(r"^param (\w+) [^=\n]+?(?: = (.+))?$", MAIN, re.MULTILINE))
    given = dict(re.findall(r"^param (\w+) = ((?:.|\n(?!param ))+)", PARAMETERS, re.MULTILINE))
    assert given.keys() == declared.keys() - DERIVED
    for name, expression in given.items():
        default = re.search(r"readEnvironmentVariable\(\s*'\w+',\s*'(.*?)'\s*\)", expression)
        assert (default is None) == (declared[name] == ""), name
        if default:
            assert default[1].replace('"', "'").strip("'") == declared[name].strip("'"), name


def test_every_variable_is_known_to_readme_and_pipeline() -> None:
    """A deployment by workflow that lost one would undo it."""
    readme = (ROOT / "docs/deploy.md").read_text()
    assert [
        variable for variable in variables() - {"AZURE_ENV_NAME", "AZURE_LOCATION"} if f"`{variable}`" not in readme
    ] == []
    pipeline = yaml.safe_load((ROOT / "azure.yaml").read_text())["pipeline"]
    assert set(pipeline["variables"]) == variables() - NOT_IN_THE_PIPELINE


def test_the_workflow_takes_the_named_variables_and_no_other() -> None:
    """Each variable of the repository that azd needs is named; the job waits for the environment's approval."""
    workflow = (ROOT / ".github/workflows/azure-dev.yml").read_text()
    job = yaml.safe_load(workflow)["jobs"]["deploy"]
    assert "toJSON(vars)" not in workflow
    assert job["environment"] == "azure"
    named = {name for name, value in job["env"].items() if value == f"${{{{ vars.{name} }}}}"}
    own = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME", "AZURE_LOCATION"}
    assert named == job["env"].keys() == own | (variables() - NOT_IN_THE_PIPELINE)


def test_azure_yaml_names_what_is_there() -> None:
    """The service is the tag of the app; hooks run files that exist; Azure builds nothing."""
    project = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert project["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    [(service, options)] = project["services"].items()
    assert only(of("defaults", "Microsoft.Web/sites"))["tags"]["azd-service-name"] == service
    assert (options["host"], options["language"], options["project"]) == ("function", "py", ".")
    assert (options["dist"], options["remoteBuild"]) == (".package", False)
    assert re.fullmatch(r">= 1\.\d+\.\d+", project["requiredVersions"]["azd"])
    hooks = [project["hooks"]["postprovision"], options["hooks"]["prepackage"]]
    for script in (command["run"] for hook in hooks for command in hook.values()):
        assert (ROOT / script.split()[-1]).is_file(), script


def test_the_graph_permission_is_not_part_of_the_deployment() -> None:
    """A workflow that may grant it may take over the tenant; an administrator grants it once."""
    files = [INFRA / "entra/graph-permission.bicep", *(INFRA / "scripts").glob("grant-*")]
    assert len(files) == 3
    assert all(PERMISSION in file.read_text() for file in files)
    others = [file for file in INFRA.rglob("*.bicep*") if "entra" not in file.parts and file.is_file()]
    assert [file for file in others if PERMISSION in file.read_text() or "microsoftGraph" in file.read_text()] == []


def test_the_app_registration_asks_for_version_2_tokens_and_assignment() -> None:
    """App Service authentication refuses version 1 tokens; without assignment any application gets one."""
    source = (INFRA / "entra/app-registration.bicep").read_text()
    assert "requestedAccessTokenVersion: 2" in source
    assert "appRoleAssignmentRequired: true" in source
    assert set(re.findall(r"^    value: '([\w.]+)'$", source, re.MULTILINE)) == {
        "Updates.Send",
        "Updates.Read",
        "Updates.Operate",
    }


def test_the_extension_has_a_version() -> None:
    """The one of the registry, pinned."""
    configured = json.loads((INFRA / "entra/bicepconfig.json").read_text())
    [extension] = configured["extensions"].values()
    assert re.fullmatch(r"br:mcr\.microsoft\.com/bicep/extensions/\S+:\d+\.\d+\.\d+", extension)
    assert configured["analyzers"] == json.loads((INFRA / "bicepconfig.json").read_text())["analyzers"]


@pytest.mark.parametrize("workflow", ["ci.yml", "azure-dev.yml"])
def test_a_workflow_gets_no_more_rights_than_it_needs(workflow: str) -> None:
    """Read, and for the deployment a token of GitHub's own issuer."""
    permissions = yaml.safe_load((ROOT / f".github/workflows/{workflow}").read_text())["permissions"]
    assert permissions == {"contents": "read"} | ({"id-token": "write"} if workflow == "azure-dev.yml" else {})
