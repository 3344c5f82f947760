"""What is known of a call to Graph, the kinds of reply, and what can follow from one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto


class TransportFault(StrEnum):
    """Why there was no answer. Only ``UNREACHABLE`` proves that the request was never sent."""

    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    UNREACHABLE = "unreachable"


class NetworkFault(StrEnum):
    """Why a request was never sent."""

    NAME = "name"
    REFUSED = "refused"
    NO_ANSWER = "noAnswer"
    CERTIFICATE = "certificate"
    PROXY = "proxy"
    PROTOCOL = "protocol"
    OTHER = "other"


class BodyForm(Enum):
    """What came as the body of an answer."""

    EMPTY = auto()
    #: A JSON document without an error.
    JSON = auto()
    #: A JSON object with an ``error`` member, as Graph refuses.
    ERROR = auto()
    #: Anything else that came whole, such as a page.
    TEXT = auto()
    #: It ended early, was longer than is read, or could not be decompressed.
    BROKEN = auto()


class Outage(Enum):
    """Whether such replies hold back the calls of every instance."""

    NONE = auto()
    #: Several in a row, on different user statuses.
    COUNTED = auto()
    #: The first one: no other call fares better.
    AT_ONCE = auto()


@dataclass(frozen=True)
class Evidence:
    """What is known of one call's end; ``words`` and ``codes`` of the body and the header names are lower case."""

    status: int | None
    body: BodyForm = BodyForm.EMPTY
    words: str = ""
    codes: frozenset[str] = field(default_factory=frozenset)
    headers: frozenset[str] = field(default_factory=frozenset)
    transport: TransportFault | None = None
    no_token: bool = False

    def status_class(self) -> int | None:
        """Return the first digit of the status."""
        return None if self.status is None else self.status // 100


class ReplyKind(StrEnum):
    """The kinds of reply, in the order in which ``judge`` tries them."""

    NO_TOKEN = "noToken"
    TIMEOUT = "timeout"
    NEVER_SENT = "neverSent"
    DISCONNECTED = "disconnected"
    INTERIM = "interim"
    SUCCESS = "success"
    ERROR_IN_SUCCESS = "errorInSuccess"
    UNREADABLE_SUCCESS = "unreadableSuccess"
    ROUTE_MISSING = "routeMissing"
    APPROVAL_REQUIRED = "approvalRequired"
    LICENCE_MISSING = "licenceMissing"
    THROTTLED = "throttled"
    REQUEST_TIMEOUT = "requestTimeout"
    BUSY = "busy"
    GATEWAY_FAULT = "gatewayFault"
    UNAVAILABLE = "unavailable"
    SERVER_FAULT = "serverFault"
    FOREIGN = "foreign"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    BROKEN = "broken"
    PASSING = "passing"
    REFUSED = "refused"


@dataclass(frozen=True)
class Meaning:
    """What follows from one kind of reply.

    ``code`` is the update's error code, ``text`` opens its message (None: Graph's own words alone). ``may_still_land``:
    the write may be applied after the reply. ``may_have_landed``: nobody knows whether it was. ``holds``: its
    ``Retry-After`` is meant for every instance.
    """

    when: Callable[[Evidence], bool]
    source: str
    code: str | None = "graphUnavailable"
    text: str | None = None
    outage: Outage = Outage.NONE
    refusal: bool = False
    may_still_land: bool = False
    may_have_landed: bool = False
    wants_new_token: bool = False
    holds: bool = False
