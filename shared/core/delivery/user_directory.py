"""Which user status of a policy a principal name means: read from Graph's list, compared without case.

A list is taken page by page. Entries without a usable id or name mean nobody; an id told twice counts once, since a
list may shift while it is read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.core.intake.update_schema import is_user_status_id

#: A policy with more user statuses is not looked through.
MAX_ENTRIES = 100_000


@dataclass(frozen=True)
class ListPage:
    """Names with their ids, and the address of the next page (None on the last)."""

    entries: tuple[tuple[str, str], ...]
    next_link: str | None


@dataclass(frozen=True)
class Found:
    """The one user status of that name."""

    user_status_id: str


@dataclass(frozen=True)
class NotUnique:
    """No user status, or not just one: the error code and message."""

    code: str
    message: str
    #: Whether a newer list could know better.
    passing: bool = True


type Choice = Found | NotUnique


@dataclass(frozen=True)
class Directory:
    """A policy's user statuses by folded principal name; ``too_large`` ones hold none."""

    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    too_large: bool = False

    def find(self, name: str) -> Choice:
        """The user status of that name."""
        if self.too_large:
            return _TOO_LARGE
        ids = self.ids.get(name.lower(), ())
        match len(ids):
            case 0:
                return _UNKNOWN
            case 1:
                return Found(ids[0])
            case count:
                some = ", ".join(ids[:_SHOWN]) + (", ..." if count > _SHOWN else "")
                said = f"{count} user statuses of this policy have this userPrincipalName ({some})"
                return NotUnique("userStatusAmbiguous", f"{said}: give the deviceComplianceUserStatusId of one.")


_SHOWN = 5
_UNKNOWN = NotUnique("userStatusNotFound", "No user status of this policy has this userPrincipalName.")
_TOO_LARGE = NotUnique(
    "userStatusNotFound",
    f"This policy has more than {MAX_ENTRIES} user statuses, too many to look through: give the "
    "deviceComplianceUserStatusId.",
    passing=False,
)


def read_list_page(document: Mapping[str, Any] | None) -> ListPage | None:
    """A page of ``GET .../userStatuses``; None when it is no list."""
    value = document.get("value") if document else None
    link = document.get("@odata.nextLink") if document else None
    if not isinstance(value, list) or not (link is None or isinstance(link, str)):
        return None
    return ListPage(tuple(entry for one in value if (entry := _entry(one)) is not None), link)


def directory_of(pages: Iterable[ListPage]) -> Directory:
    """What all pages of a list say together."""
    ids: dict[str, dict[str, None]] = defaultdict(dict)
    for page in pages:
        for name, id_ in page.entries:
            ids[name][id_] = None
    return Directory({name: tuple(some) for name, some in ids.items()})


def _entry(one: object) -> tuple[str, str] | None:
    match one:
        case {"userPrincipalName": str(name), "id": str(id_)} if name and is_user_status_id(id_):
            return name.lower(), id_
    return None
