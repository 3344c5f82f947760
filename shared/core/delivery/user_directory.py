"""Which user status of a policy a principal name means: read from Graph's list, compared without case.

A list is taken page by page. Entries without a usable id or name mean nobody; an id that comes twice counts once, since
a list may shift while it is read.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.intake.update_schema import is_user_status_id

#: A policy with more user statuses, or with more pages of them, is not looked through.
MAX_ENTRIES, MAX_PAGES = 100_000, 1_000
#: Pages in a row without a new entry: Graph's lists were seen to lead in a circle (docs/graph-facts.md#f91).
MAX_IDLE_PAGES = 5
#: How long a name that is not listed is looked for: new users appear late, and lists were seen with entries missing.
LOOKING = timedelta(minutes=10)
_FIRST_PAUSE = timedelta(seconds=30)
_SELECT_REFUSALS = (400, 500, 501)
_SELECT_REFUSAL_KINDS = (ReplyKind.REFUSED, ReplyKind.PASSING, ReplyKind.SERVER_FAULT)
_SHOWN = 5


@dataclass(frozen=True)
class ListPage:
    """Names with their ids, the number of all entries, and the address of the next page (None on the last)."""

    entries: tuple[tuple[str, str], ...]
    next_link: str | None
    listed: int = 0


@dataclass(frozen=True)
class Found:
    """The one user status of that name."""

    user_status_id: str


@dataclass(frozen=True)
class NotListed:
    """No user status has that name; a later list may hold it."""

    listed: int

    @property
    def message(self) -> str:
        """The error message, with the length of the list that was read."""
        return f"No user status of this policy has this userPrincipalName; Graph listed {self.listed} user statuses."


@dataclass(frozen=True)
class NotUnique:
    """The list cannot settle whose it is: the error code and message."""

    code: str
    message: str
    #: Whether a newer list could know better.
    passing: bool = True


type Choice = Found | NotListed | NotUnique


@dataclass(frozen=True)
class Directory:
    """A policy's user statuses by folded principal name; ``too_large`` ones hold none."""

    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    listed: int = 0
    too_large: bool = False

    def find(self, name: str) -> Choice:
        """Return the user status of that name."""
        if self.too_large:
            return _TOO_LARGE
        ids = self.ids.get(name.lower(), ())
        match len(ids):
            case 0:
                return NotListed(self.listed)
            case 1:
                return Found(ids[0])
            case count:
                some = ", ".join(ids[:_SHOWN]) + (", ..." if count > _SHOWN else "")
                found = f"{count} user statuses of this policy have this userPrincipalName ({some})"
                return NotUnique("userStatusAmbiguous", f"{found}: give the deviceComplianceUserStatusId of one.")


_TOO_LARGE = NotUnique(
    "userStatusNotFound",
    f"This policy has more than {MAX_ENTRIES} user statuses, or {MAX_PAGES} pages of them, too many to look through: "
    "give the deviceComplianceUserStatusId.",
    passing=False,
)


class ListReading:
    """A list that is being read, page by page."""

    def __init__(self) -> None:
        self.next_link: str | None = None
        self.pages = self.entries = self._listed = self._idle = 0
        self._ids: dict[str, dict[str, None]] = defaultdict(dict)
        self._links: set[str] = set()

    @property
    def is_over(self) -> bool:
        """Whether no page is missing, or no more are read."""
        return self.pages > 0 and (self.next_link is None or self._is_too_large)

    def add(self, page: ListPage) -> str | None:
        """Take in the next page. Return why the list cannot be read; None where it can."""
        before = self.entries
        for name, id_ in page.entries:
            self.entries += id_ not in self._ids[name]
            self._ids[name][id_] = None
        self.pages, self._listed, self.next_link = self.pages + 1, self._listed + page.listed, page.next_link
        self._idle = self._idle + 1 if self.entries == before else 0
        if page.next_link is None:
            return None
        if page.next_link in self._links:
            return "its pages lead in a circle"
        self._links.add(page.next_link)
        return f"{self._idle} pages in a row hold nothing new" if self._idle >= MAX_IDLE_PAGES else None

    def directory(self) -> Directory:
        """Return what the pages say together."""
        if self._is_too_large:
            return Directory(too_large=True)
        return Directory({name: tuple(ids) for name, ids in self._ids.items()}, self._listed)

    @property
    def _is_too_large(self) -> bool:
        return self.entries > MAX_ENTRIES or (self.next_link is not None and self.pages >= MAX_PAGES)


def read_list_page(document: Mapping[str, Any] | None) -> ListPage | None:
    """Read a page of ``GET .../userStatuses``; None when it is no list."""
    value = document.get("value") if document else None
    link = document.get("@odata.nextLink") if document else None
    if not isinstance(value, list) or not (link is None or isinstance(link, str)):
        return None
    return ListPage(tuple(entry for member in value if (entry := _entry(member)) is not None), link, len(value))


def may_refuse_select(reply: GraphReply) -> bool:
    """Return whether this may be an answer to ``$select``: some do not take it (docs/graph-facts.md#f91)."""
    return reply.status_code in _SELECT_REFUSALS and reply.kind in _SELECT_REFUSAL_KINDS


def next_look(first: datetime, now: datetime) -> datetime | None:
    """Return when a name that is not listed is looked for again, ever more rarely; None once that is over."""
    end = first + LOOKING
    return min(now + max(_FIRST_PAUSE, now - first), end) if now < end else None


def _entry(member: object) -> tuple[str, str] | None:
    match member:
        case {"userPrincipalName": str(name), "id": str(id_)} if name and is_user_status_id(id_):
            return name.lower(), id_
    return None
