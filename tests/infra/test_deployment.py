"""The evaluated deployment is what the tables of infra/README.md say: settings, roles, names; and it stays hardened."""

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from shared.web.authorization import Role
from tests.infra.snapshots import INFRA, ROOT, SNAPSHOTS, Resource, load, of, only, table, words

ROLE_IDS = {
    identifier: name.lower()
    for name, identifier in re.findall(
        r"^  (\w+): '([0-9a-f-]{36})'$", (INFRA / "modules/role-ids.bicep").read_text(), re.MULTILINE
    )
}
#: The ids of infra/snapshots/everything.bicepparam.
PEOPLE = {
    "20000000-0000-4000-8000-000000000001": "secret writers",
    "20000000-0000-4000-8000-000000000002": "publishers",
    "20000000-0000-4000-8000-000000000003": "senders",
    "20000000-0000-4000-8000-000000000004": "operators",
    "principal id of the identity": "app identity",
    "principal id of the topic": "Event Grid topic",
}
#: A scope's type, and the words for it.
SCOPES = {
    "resourceGroups": "resource group",
    "storageAccounts": "storage account",
    "queues": "queue",
    "tables": "table",
    "containers": "container",
    "components": "Application Insights",
    "vaults": "key vault",
    "topics": "topic",
}
UNIQUE = ("storage account", "Application Insights", "key vault", "topic", "resource group")
TOKEN = r"[a-z0-9]{13}"
#: Names that nobody chooses: of a lock and an assignment; of a zone, which has the suffix of the cloud.
UNNAMED = (
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/locks",
    "Microsoft.Network/privateDnsZones",
)


def settings(name: str) -> dict[str, str]:
    """Return the settings that the app gets, expressions as words."""
    found = only(
        resource for resource in of(name, "Microsoft.Web/sites/config") if resource["name"].endswith("/appsettings")
    )
    token = only(of(name, "Microsoft.Storage/storageAccounts"))["name"].removeprefix("st")
    return {key: words(value).replace(token, "TOKEN") for key, value in found["properties"].items()}


def scope(assignment: Resource) -> str:
    """Return what a role is assigned on."""
    kind, name = assignment["id"].split("/providers/Microsoft.Authorization/")[0].split("/")[-2:]
    return SCOPES[kind] if SCOPES[kind] in UNIQUE else f"{SCOPES[kind]} {name}"


def assignments(name: str) -> dict[tuple[str, str], set[str]]:
    """Return (who, role) -> scopes."""
    found = defaultdict(set)
    for assignment in of(name, "Microsoft.Authorization/roleAssignments"):
        who = PEOPLE[words(assignment["properties"]["principalId"])]
        found[who, ROLE_IDS[assignment["properties"]["roleDefinitionId"].rpartition("/")[2]]].add(scope(assignment))
    return found


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_app_gets_the_settings_of_the_table(name: str) -> None:
    """Each one with its value, and no other."""
    documented = {row["setting"]: row[name] for row in table("Settings") if row[name] != "-"}
    assert settings(name) == documented


def test_every_setting_is_set_or_has_a_default() -> None:
    """The app reads no required setting that the deployment leaves out, and gets none that nobody reads."""
    read = set(
        re.findall(r'"([A-Z][A-Z_]+)"', "\n".join(path.read_text() for path in (ROOT / "shared/settings").glob("*.py")))
    )
    given = settings("everything").keys() | settings("defaults").keys()
    platform = ("AzureWebJobsStorage__", "UPDATES_STORAGE__", "APPLICATIONINSIGHTS_", "PYTHON_")
    own = {setting for setting in given if not setting.startswith(platform)}
    assert own <= read
    assert {"UPDATES_QUEUE", "UPDATES_TABLE_PREFIX", "GRAPH_CLOUD", "AZURE_CLIENT_ID", "WEBHOOK_SOURCES"} <= own


def test_the_roles_are_those_of_the_table() -> None:
    """Who, which role, on what: with everything switched on. The defaults have a part of them and nothing else."""
    documented = {
        (row["who"], row["role"].replace(" ", "").lower()): {place.strip() for place in row["on"].split(",")}
        for row in table("Who may do what")
        if not row["role"].startswith("Graph: ")
    }
    assert assignments("everything") == documented
    for key, scopes in assignments("defaults").items():
        assert scopes <= documented[key], key


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_an_assignment_says_what_it_is_for(name: str) -> None:
    """It has a description and the kind of its principal: Entra may not know a new identity everywhere yet."""
    for assignment in of(name, "Microsoft.Authorization/roleAssignments"):
        assert assignment["properties"].keys() == {"description", "principalId", "principalType", "roleDefinitionId"}
        assert not assignment["name"].startswith("["), "a name that what-if cannot resolve"


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_every_name_is_in_the_table_and_short_enough(name: str) -> None:
    """A name that fits no row of the table fails; the longest allowed name is the platform's."""
    rows = [
        (re.escape(row["name"]).replace("TOKEN", TOKEN).replace("ALERT", "[a-z-]+"), row["type"], int(row["longest"]))
        for row in table("Names")
    ]
    for resource in load(name):
        child = "/" in resource["type"].split("/", 1)[1]
        if child or resource["type"] in UNNAMED:
            continue
        fits = [
            longest
            for pattern, kind, longest in rows
            if kind == resource["type"] and re.fullmatch(pattern, resource["name"])
        ]
        assert fits, (resource["type"], resource["name"])
        assert len(resource["name"]) <= min(fits)


def test_the_tables_that_the_app_uses_are_made() -> None:
    """By the names in its code."""
    code = "\n".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
    used = {f"compliance{name}" for name in re.findall(r'\btable\("(\w+)"\)', code)}
    made = {
        table["name"].rpartition("/")[2]
        for table in of("defaults", "Microsoft.Storage/storageAccounts/tableServices/tables")
    }
    assert len(used) >= 6
    assert used == made


def test_as_many_requests_at_a_time_as_the_worker_has_threads() -> None:
    """A request never waits behind others for a thread."""
    scale = only(of("defaults", "Microsoft.Web/sites"))["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    threads = int(settings("defaults")["PYTHON_THREADPOOL_THREAD_COUNT"])
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == threads
    assert scale["maximumInstanceCount"] >= 40  # fewer may be refused


HARDENED: dict[str, dict[str, Any]] = {
    "Microsoft.Storage/storageAccounts": {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
        "allowCrossTenantReplication": False,
    },
    "Microsoft.Web/sites": {"httpsOnly": True},
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.KeyVault/vaults": {"enableRbacAuthorization": True, "enablePurgeProtection": True},
    "Microsoft.EventGrid/topics": {"disableLocalAuth": True, "minimumTlsVersionAllowed": "1.2"},
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"publicAccess": "None"},
}


@pytest.mark.parametrize("name", SNAPSHOTS)
@pytest.mark.parametrize("kind", HARDENED)
def test_what_is_hardened_stays_so(name: str, kind: str) -> None:
    """No keys, no plain text, no public blobs."""
    for resource in of(name, kind):
        assert HARDENED[kind].items() <= resource["properties"].items(), resource["name"]
    assert not re.search(r"listKeys|AccountKey=|SharedAccessKey", json.dumps(load(name)))


def test_behind_the_network_storage_and_vault_have_no_open_door() -> None:
    """With Event Grid the firewall of the account stays, and lets trusted services pass."""
    account = only(of("everything", "Microsoft.Storage/storageAccounts"))["properties"]
    assert account["networkAcls"] == {"defaultAction": "Deny", "bypass": "AzureServices"}
    assert only(of("everything", "Microsoft.KeyVault/vaults"))["properties"]["publicNetworkAccess"] == "Disabled"


def test_an_event_that_cannot_be_delivered_is_kept() -> None:
    """The topic delivers and dead-letters by its identity; a message on the queue never expires."""
    event = only(of("everything", "Microsoft.EventGrid/topics/eventSubscriptions"))["properties"]
    dead_letters = event["deadLetterWithResourceIdentity"]["deadLetterDestination"]["properties"]
    assert dead_letters["blobContainerName"] == "event-dead-letters"
    delivery = event["deliveryWithResourceIdentity"]["destination"]["properties"]
    assert (delivery["queueName"], delivery["queueMessageTimeToLiveInSeconds"]) == ("compliance-updates", -1)
    assert "deadLetterDestination" not in event  # that would need an account key


def test_the_platform_says_who_calls_and_the_app_who_may() -> None:
    """Without a token a call reaches the app, which answers it; the registration itself may always sign in."""
    found = only(
        config for config in of("everything", "Microsoft.Web/sites/config") if config["name"].endswith("authsettingsV2")
    )["properties"]
    assert found["platform"] == {"enabled": True}
    assert found["globalValidation"]["unauthenticatedClientAction"] == "AllowAnonymous"
    assert settings("everything")["AUTHENTICATION"] == "entra"
    assert "AUTHENTICATION" not in settings("defaults")
    entra = found["identityProviders"]["azureActiveDirectory"]
    allowed = entra["validation"]["defaultAuthorizationPolicy"]["allowedApplications"]
    assert allowed[0] == entra["registration"]["clientId"]
    assert len(allowed) == 2


def test_the_registration_has_the_roles_that_the_app_asks_for() -> None:
    """In the same case."""
    text = (INFRA / "entra/app-registration.bicep").read_text()
    assert re.findall(r"value: '([^']+)'", text) == list(Role)
