"""What to do about each cause, in words that an administrator of Intune or Azure can follow: tables by its code."""

from collections.abc import Mapping

from shared.core.basics.access_token import WRITE_ROLE
from shared.core.delivery.reply_kind import NetworkFault, ReplyKind
from shared.service.diagnosis.checks import CheckStatus

TRY_AGAIN = "Try again in a minute."
#: docs/graph-facts.md#f28: a token outlives a change of its roles.
GRANT = (
    f"Grant the app's managed identity the Microsoft Graph application permission {WRITE_ROLE}, with admin consent. "
    "A token that was issued before keeps its roles: the change may take up to a day."
)
LICENCE = (
    "Check that the tenant has an active Intune licence, and Intune as its MDM authority: without them Graph refuses "
    "every call. A permission granted today may take up to a day."
)
CLOUD = "Set GRAPH_CLOUD to the tenant's cloud, then restart the app: tokens of one cloud are not taken by another."
NEW_TOKEN = (
    "The token is for this cloud. Check in Entra whether a Conditional Access policy for workload identities blocks "
    "the app's identity (sign-in logs, managed identity sign-ins); else wait for a new token, up to a day."
)
#: docs/graph-facts.md#f67
APPROVAL = (
    "Multi Admin Approval stops the app's writes. In the Intune admin centre: Tenant administration, Multi Admin "
    "Approval, the access policy for compliance policies, Exclusions: add the app by its client id{client_id}. Waiting "
    "updates are then sent by themselves."
)
#: docs/graph-facts.md#f70
NOT_ROUTED = (
    "The service has no code behind this call: no permission helps. Try GRAPH_API_VERSION with the other version, and "
    "ask Microsoft support; until then updates end as operationNotSupported. Other routes, by aim. To gate access by "
    "an external verdict: PATCH /devices/{id} with extensionAttributes, and a Conditional Access device filter "
    "(application permission Device.ReadWrite.All). To set the compliant flag: on Windows isCompliant of the same "
    "call, for approved MDM apps only; on macOS, iOS and Android a compliance partner connector. To have the device "
    "evaluate it: a custom compliance script."
)
FOREIGN = (
    "Something between the app and Graph answered in its place: a firewall, proxy, gateway or login page. Let the "
    "app's outbound traffic to Microsoft Graph pass unchanged; check GRAPH_BASE_URL and HTTPS_PROXY."
)

#: Where Graph, or something before it, answered: the status of the check, and the next step.
REPLIES: Mapping[ReplyKind, tuple[CheckStatus, str]] = {
    ReplyKind.ROUTE_MISSING: (CheckStatus.FAILING, NOT_ROUTED),
    ReplyKind.APPROVAL_REQUIRED: (CheckStatus.FAILING, APPROVAL),
    ReplyKind.LICENCE_MISSING: (CheckStatus.FAILING, LICENCE),
    ReplyKind.FOREIGN: (CheckStatus.FAILING, FOREIGN),
    ReplyKind.UNAUTHORIZED: (CheckStatus.FAILING, NEW_TOKEN),
    ReplyKind.FORBIDDEN: (CheckStatus.FAILING, GRANT),
    ReplyKind.REFUSED: (CheckStatus.FAILING, "Check the ids; Graph's own words say why it refused."),
    ReplyKind.TIMEOUT: (CheckStatus.FAILING, "Graph is reached, but slow. Try again; if it lasts, see service health."),
    ReplyKind.DISCONNECTED: (CheckStatus.FAILING, "Check firewalls and proxies that cut connections; try again."),
}
#: Of every other kind.
PASSING = (CheckStatus.UNKNOWN, TRY_AGAIN)

#: Why a request was never sent; ``{target}`` is what was to be reached.
NETWORK: Mapping[NetworkFault, str] = {
    NetworkFault.NAME: "The name of {target} is not resolved: check the DNS of the app's network, and {settings}.",
    NetworkFault.REFUSED: "{target} refuses the connection: check firewalls, and {settings}.",
    NetworkFault.NO_ANSWER: "{target} cannot be reached: let the app's subnet and firewall connect to it on port 443.",
    NetworkFault.CERTIFICATE: (
        "The certificate of {target} is not trusted: something inspects the traffic. Exempt {target}, or name the file "
        "of your company's certificates in REQUESTS_CA_BUNDLE."
    ),
    NetworkFault.PROXY: "The proxy refuses: check HTTPS_PROXY, its credentials, and that it allows {target}.",
    NetworkFault.PROTOCOL: "What answers does not speak TLS as expected: check the port and scheme of {settings}.",
    NetworkFault.OTHER: "Check that the app's network lets it reach {target}, and {settings}.",
}
GRAPH_TARGET = {"target": "Microsoft Graph", "settings": "GRAPH_CLOUD and GRAPH_BASE_URL"}
STORAGE_TARGET = {
    "target": "the storage account",
    "settings": "UPDATES_STORAGE (or UPDATES_STORAGE__queueServiceUri and __tableServiceUri)",
}

_ROLE = "Assign the app's identity the role {role} on the storage account"
#: Storage's own codes (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).
STORAGE: Mapping[str, str] = {
    "AuthorizationFailure": (
        "The storage account's firewall does not let the app in: allow its subnet or private endpoint (Networking)."
    ),
    "AuthorizationPermissionMismatch": f"{_ROLE}; it takes some minutes.",
    "AuthenticationFailed": (
        "The key of UPDATES_STORAGE is wrong or was rotated: set the new connection string. Else a clock is wrong."
    ),
    "KeyBasedAuthenticationNotPermitted": (
        f"The account takes no shared keys: set UPDATES_STORAGE__queueServiceUri and __tableServiceUri. {_ROLE}."
    ),
    "InvalidAuthenticationInfo": f"Storage does not take the token: check the identity's tenant. {_ROLE}.",
    "AccountIsDisabled": "The storage account is disabled: check its subscription.",
    "QueueBeingDeleted": "The queue is being deleted: wait a minute, then it is made again.",
    "TableBeingDeleted": "The table is being deleted: wait a minute, then it is made again.",
    "ServerBusy": TRY_AGAIN,
    "noToken": "Mend identity first.",
}
STORAGE_DENIED = f"{_ROLE}, or mend the connection string's key."
STORAGE_AWAY = "Check {settings}, and that the storage account's firewall lets the app in."

#: By the words of the identity endpoint's answer; the first that fits.
IDENTITY: tuple[tuple[str, str], ...] = (
    (
        "answered 400",
        "Turn the app's managed identity on; assign a user-assigned one to the app, its client id as AZURE_CLIENT_ID.",
    ),
    ("is no managed identity", "Turn the app's managed identity on, then restart the app."),
    (
        "the identity endpoint",
        "The platform's identity endpoint is failing; mostly this passes within minutes. If it lasts, restart the app.",
    ),
)
IDENTITY_ELSE = (
    "Turn the app's managed identity on; for a user-assigned one set AZURE_CLIENT_ID to its client id. Then restart "
    "the app."
)
