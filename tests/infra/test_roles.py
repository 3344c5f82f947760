"""Every role is a built-in one, where the docs say that it is needed, on the smallest scope."""

import re

from tests.infra.bicep import FILES, INFRA, declared, properties, text, value

#: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
}
UPDATES, POISON = "account::queueService::updates", "account::queueService::poison"
#: file, assignment -> role, scope. The reasons, with links, are in infra/README.md.
ASSIGNED = {
    ("roles", "hostStorage"): ("Storage Blob Data Owner", "account"),
    ("roles", "updates"): ("Storage Queue Data Contributor", UPDATES),
    ("roles", "poison"): ("Storage Queue Data Contributor", POISON),
    ("roles", "tableRole"): ("Storage Table Data Contributor", "table[index]"),
    ("roles", "telemetry"): ("Monitoring Metrics Publisher", "applicationInsights"),
    ("roles", "sender"): ("Storage Queue Data Message Sender", UPDATES),
    ("key-vault", "reader"): ("Key Vault Secrets User", "vault"),
    ("event-grid", "delivery"): ("Storage Queue Data Message Sender", UPDATES),
    ("event-grid", "publisher"): ("EventGrid Data Sender", "topic"),
}


def test_roles_are_these_on_these_scopes_and_no_more() -> None:
    """The table above is the whole of it."""
    found = {}
    for path in FILES:
        source = path.read_text()
        for name, node in declared(path, "resource").items():
            if "'Microsoft.Authorization/roleAssignments@" not in text(node):
                continue
            reference = text(value(node, "roleDefinitionId"))
            variable = re.search(r"roleDefinitions', (?:roleIds\.)?(\w+)\)", reference)
            assert variable is not None, name
            role = re.search(rf"\b{variable[1]}\b(?:: | = )'([0-9a-f-]{{36}})'", source)
            assert role is not None, name
            found[(path.stem, name)] = (ROLES[role[1]], text(value(node, "scope")))
    assert found == ASSIGNED


def test_every_role_has_its_reason() -> None:
    """In infra/README.md."""
    readme = (INFRA / "README.md").read_text()
    assert [role for role in ROLES.values() if role not in readme] == []


def test_an_assignment_says_what_it_is_for() -> None:
    """And the kind of its principal: a fresh identity may not be known everywhere yet."""
    for path in FILES:
        for name, node in declared(path, "resource").items():
            if "'Microsoft.Authorization/roleAssignments@" in text(node):
                assert {"description", "principalType"} <= properties(value(node, "properties")).keys(), name


def test_the_graph_permission_is_the_documented_one() -> None:
    """DeviceManagementConfiguration.ReadWrite.All as an application, in Bicep and scripts alike."""
    permission = "9241abd9-d0e6-425a-bd4f-47ba86e767a4"
    files = [INFRA / "graph-permission.bicep", *(INFRA / "scripts").glob("grant-*")]
    assert len(files) == 3
    assert all(permission in one.read_text() for one in files)
