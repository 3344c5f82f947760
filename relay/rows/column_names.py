"""The names of columns: ours, and what exports call them. Pure."""

import difflib
from typing import Final

from shared.core.intake.update_schema import PROPERTIES

_PREFIX: Final = "userStatus."
_TOP_LEVEL: Final = (
    "deviceCompliancePolicyId",
    "deviceComplianceUserStatusId",
    "userPrincipalName",
    "source",
    "idempotencyKey",
    "priority",
)
#: Column name -> path of members. The bare userPrincipalName is the top-level member; the property has the prefix.
PATHS: Final[dict[str, tuple[str, ...]]] = (
    {name: ("userStatus", name) for name in PROPERTIES}
    | {_PREFIX + name: ("userStatus", name) for name in PROPERTIES}
    | {name: (name,) for name in _TOP_LEVEL}
)
_BY_FOLDED_NAME: Final = {name.casefold(): name for name in PATHS}
#: What exports call our columns, with letters and digits only.
_ALIASES: Final = {
    "id": "deviceComplianceUserStatusId",
    "userstatusid": "deviceComplianceUserStatusId",
    "policy": "deviceCompliancePolicyId",
    "policyid": "deviceCompliancePolicyId",
    "compliancepolicyid": "deviceCompliancePolicyId",
    "upn": "userPrincipalName",
    "email": "userPrincipalName",
    "emailaddress": "userPrincipalName",
    "compliancestatus": "status",
    "compliancestate": "status",
    "state": "status",
    "devicecount": "devicesCount",
    "devices": "devicesCount",
    "displayname": "userDisplayName",
    "lastcheckin": "lastReportedDateTime",
    "lastcontact": "lastReportedDateTime",
    "lastreported": "lastReportedDateTime",
    "lastsyncdatetime": "lastReportedDateTime",
}
_MIN_LIKENESS = 0.75


def known_name(name: str) -> str | None:
    """Return our column of this name, in either case."""
    return _BY_FOLDED_NAME.get(name.strip().casefold())


def suggestion(name: str) -> str | None:
    """Return our column that a name nearly is, or that exports call so."""
    simple = _simplified(name)
    known = _BY_SIMPLE_NAME | _ALIASES
    near = [simple] if simple in known else difflib.get_close_matches(simple, _BY_SIMPLE_NAME, 1, _MIN_LIKENESS)
    return known[near[0]] if near else None


def _simplified(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


_BY_SIMPLE_NAME: Final = {_simplified(name): name for name in PATHS}
