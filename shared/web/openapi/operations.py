"""Every path and method of the API, with its answers: what the document shows and what 405 is told by."""

from collections.abc import Mapping
from typing import Final

from shared.web.openapi.parts import (
    ANYONE,
    FOLLOWED,
    ID,
    KEY,
    LIST,
    LOCATED,
    PREFER,
    SECONDS_HEADER,
    STRING_HEADER,
    TEXT,
    UNCHANGED,
    as_json,
    body,
    file,
    operation,
    parameter,
)
from shared.web.openapi.schemas import EXAMPLE, EXAMPLE_BY_NAME, IDS_EXAMPLE, Schema, ref

_RESOURCE = ref("UpdateResource")
PATHS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/updates": {
        "post": operation(
            "Accept an update",
            {
                202: as_json(_RESOURCE, "On the queue.", LOCATED),
                200: as_json(_RESOURCE, "Final already: a repeated request, or `Prefer: wait`.", LOCATED),
            },
            400,
            413,
            415,
            422,
            operationId="postUpdate",
            parameters=[KEY, PREFER],
            requestBody=body(
                ref("Update"),
                examples={
                    "documented": {"value": EXAMPLE},
                    "byPrincipalName": {"value": EXAMPLE_BY_NAME},
                },
            ),
        ),
        "get": operation(
            "List updates, newest first",
            {200: as_json(ref("UpdateList"), "A page.")},
            400,
            operationId="listUpdates",
            parameters=LIST,
        ),
    },
    "/updates/batch": {
        "post": operation(
            "Accept many updates",
            {202: as_json(ref("Verdicts"), "A verdict for each, in order.")},
            400,
            413,
            415,
            operationId="postBatch",
            parameters=[KEY],
            requestBody=body(ref("Batch"), examples={"one": {"value": {"updates": [EXAMPLE]}}}),
        ),
    },
    "/updates/replay": {
        "post": operation(
            "Replay failed and canceled updates by filter",
            {
                200: as_json(ref("ReplayCount"), "With `dryRun`: how many match."),
                202: as_json(ref("Replayed"), "Done, as many as one call takes."),
            },
            400,
            413,
            415,
            operationId="replayUpdates",
            requestBody=body(ref("ReplayFilter"), examples={"dry": {"value": {"status": "failed", "dryRun": True}}}),
        ),
    },
    "/updates/{id}": {
        "get": operation(
            "What became of an update",
            {
                200: as_json(
                    _RESOURCE,
                    "The update.",
                    {
                        "Retry-After": SECONDS_HEADER,
                        "Preference-Applied": STRING_HEADER,
                        "Vary": STRING_HEADER,
                    },
                )
            },
            404,
            operationId="getUpdate",
            parameters=[ID, PREFER],
        ),
    },
    "/updates/{id}/cancel": {
        "post": operation(
            "Take an update back",
            {200: as_json(_RESOURCE, "It will not be sent.")},
            404,
            409,
            operationId="cancelUpdate",
            parameters=[ID],
        ),
    },
    "/updates/{id}/replay": {
        "post": operation(
            "Replay an update that failed or was canceled",
            {202: as_json(_RESOURCE, "The new update.", LOCATED)},
            404,
            409,
            operationId="replayUpdate",
            parameters=[ID],
        ),
    },
    "/deviceCompliancePolicies/{deviceCompliancePolicyId}/userStatuses/{deviceComplianceUserStatusId}": {
        "get": operation(
            "What stands in Graph of a user status, and what waits",
            {200: as_json(ref("UserStatus"), "By property.")},
            404,
            operationId="getUserStatus",
            parameters=[
                parameter("deviceCompliancePolicyId", TEXT, "path"),
                parameter("deviceComplianceUserStatusId", TEXT, "path"),
            ],
        ),
    },
    "/erasures": {
        "post": operation(
            "Erase a person's data",
            {202: as_json(ref("Erasure"), "Begun, perhaps done.", FOLLOWED)},
            400,
            413,
            415,
            operationId="postErasure",
            requestBody=body(
                ref("ErasureSubject"),
                examples={
                    "person": {"value": {"userPrincipalName": "ada@contoso.com"}},
                    "userStatus": {"value": IDS_EXAMPLE},
                },
            ),
        ),
    },
    "/erasures/{id}": {
        "get": operation(
            "How far an erasure has come",
            {200: as_json(ref("Erasure"), "The erasure.", {"Retry-After": SECONDS_HEADER})},
            404,
            operationId="getErasure",
            parameters=[ID],
        ),
    },
    "/webhooks/{source}": {
        "post": operation(
            "What another system tells, in its own shape",
            {
                200: as_json({"type": "object"}, "Event Grid's handshake: `validationResponse`."),
                202: as_json(ref("Verdicts"), "A verdict for each message."),
            },
            400,
            401,
            413,
            415,
            operationId="postWebhook",
            security=ANYONE,
            parameters=[parameter("source", TEXT, "path")],
            requestBody=body({}),
        ),
        "get": operation(
            "Okta's question whether the address is the receiver's",
            {200: as_json({"type": "object"}, "The challenge as `verification`.")},
            404,
            operationId="getWebhook",
            security=ANYONE,
            parameters=[parameter("source", TEXT, "path")],
        ),
        "options": operation(
            "CloudEvents' abuse protection handshake",
            {
                200: as_json(
                    {"type": "object"},
                    "Allowed.",
                    {
                        "Allow": STRING_HEADER,
                        "WebHook-Allowed-Origin": STRING_HEADER,
                        "WebHook-Allowed-Rate": STRING_HEADER,
                    },
                )
            },
            operationId="allowWebhook",
            security=ANYONE,
            parameters=[
                parameter("source", TEXT, "path"),
                parameter("WebHook-Request-Origin", {"type": "string"}, "header"),
                parameter("WebHook-Request-Rate", {"type": "string"}, "header"),
            ],
        ),
    },
    "/stats": {
        "get": operation("The last 24 hours", {200: as_json(ref("Stats"), "Counts.")}, operationId="getStats"),
    },
    "/doctor": {
        "get": operation(
            "What keeps the relay from its work, and the next step",
            {200: as_json(ref("Doctor"), "One finding a check, whatever was found.")},
            400,
            operationId="getDoctor",
            parameters=[
                parameter("deviceCompliancePolicyId", TEXT, description="Together with the other: tries the PATCH."),
                parameter("deviceComplianceUserStatusId", TEXT, description="Its own values are sent back."),
            ],
        ),
    },
    "/health/live": {
        "get": operation(
            "Whether the process runs",
            {200: as_json(ref("Live"), "It does.")},
            operationId="live",
            security=ANYONE,
        ),
    },
    "/health/ready": {
        "get": operation(
            "Whether all around it can be used",
            {200: as_json(ref("Ready"), "It can."), 503: as_json(ref("Ready"), "Something is failing.")},
            operationId="ready",
            security=ANYONE,
        ),
    },
    "/openapi.json": {
        "get": operation(
            "This document", {200: as_json({"type": "object"}, "OpenAPI 3.1.")}, operationId="openapi", security=ANYONE
        ),
    },
    "/dashboard": {
        "get": operation(
            "The operator's dashboard, an empty page: what it shows it asks this API for",
            {200: file("text/html", "The page."), 304: UNCHANGED},
            operationId="getDashboard",
            security=ANYONE,
        ),
    },
    "/dashboard/{file}": {
        "get": operation(
            "What the dashboard is made of",
            {200: file("*/*", "A module, a style sheet, an image."), 304: UNCHANGED},
            404,
            operationId="getDashboardFile",
            security=ANYONE,
            parameters=[parameter("file", TEXT, "path")],
        ),
    },
}
