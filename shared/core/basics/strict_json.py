"""JSON by RFC 8259: what parsers read differently is refused, every fault with its pointer."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

type JSON = Any

#: More digits than any number of ours has; beyond them parsing itself would be the attack.
_MAX_DIGITS = 40
#: No message of ours, event around it included, comes near this.
_MAX_DEPTH = 64
#: Faults of one message, and characters of a pointer. The answer must not be many times larger than the message, and
#: an outcome must hold it.
MAX_FAULTS = 100
_MAX_POINTER_LENGTH = 200


@dataclass(frozen=True)
class Fault:
    """What is wrong with the member that an RFC 6901 pointer names."""

    pointer: str
    detail: str


@dataclass(frozen=True)
class InvalidMessage:
    """All that is wrong with a message, up to ``MAX_FAULTS``."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Parsed:
    """A JSON text's value."""

    value: JSON


class _Members(dict[str, JSON]):
    """An object with keys that came more than once."""

    repeated: tuple[str, ...] = ()


class _Unacceptable:
    """A literal that JSON does not have, or a number with too many digits."""

    def __init__(self, text: str) -> None:
        self.detail = f"{text[:12]} is not a JSON number" if len(text) <= _MAX_DIGITS else "the number is too long"


def pointer(*parts: str | int) -> str:
    """Return an RFC 6901 JSON Pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def read_json(text: bytes | str) -> Parsed | InvalidMessage:
    """Parse UTF-8 JSON; never raise. A byte order mark is accepted."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        value = _DECODER.decode(decoded)
    except UnicodeDecodeError as error:
        return _refused(f"not UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        return _refused(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except RecursionError:
        return _refused("nested too deeply")
    faults = tuple(islice(_faults(value), MAX_FAULTS))
    return InvalidMessage(faults) if faults else Parsed(value)


def _refused(detail: str) -> InvalidMessage:
    return InvalidMessage((Fault("", detail),))


def _members(pairs: list[tuple[str, JSON]]) -> JSON:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    times = Counter(name for name, _ in pairs)
    marked = _Members(members)
    marked.repeated = tuple(name for name in members if times[name] > 1)
    return marked


def _integer(text: str) -> JSON:
    return int(text) if len(text) <= _MAX_DIGITS else _Unacceptable(text)


def _float(text: str) -> JSON:
    return float(text) if len(text) <= _MAX_DIGITS else _Unacceptable(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_Unacceptable
)


#: Where a value is: the place that holds it, and its name there. Spelled out only for what is at fault.
type _Place = tuple[_Place, str | int] | None


def _faults(value: JSON) -> Iterator[Fault]:
    """Yield the faults of the whole value, found without recursion."""
    left: list[tuple[int, _Place, JSON]] = [(0, None, value)]
    while left:
        depth, at, here = left.pop()
        if depth > _MAX_DEPTH:
            yield Fault("", "nested too deeply")
            return
        if isinstance(here, _Unacceptable):
            yield Fault(_spelled(at), here.detail)
        elif isinstance(here, str):
            if _lone_surrogate(here):
                yield Fault(_spelled(at), "holds a lone surrogate")
        elif isinstance(here, list):
            left += [(depth + 1, (at, index), item) for index, item in reversed(list(enumerate(here)))]
        elif isinstance(here, dict):
            yield from _key_faults(at, here)
            left += [(depth + 1, (at, name), item) for name, item in reversed(here.items())]


def _key_faults(at: _Place, members: dict[str, JSON]) -> Iterator[Fault]:
    for name in members.repeated if isinstance(members, _Members) else ():
        yield Fault(_spelled((at, name)), "the key comes more than once")
    for name in filter(_lone_surrogate, members):
        yield Fault(_spelled((at, name)), "the key holds a lone surrogate")


def _spelled(at: _Place) -> str:
    parts: list[str | int] = []
    while at is not None:
        at, name = at
        parts.append(_printable(name[: _MAX_POINTER_LENGTH + 1]) if isinstance(name, str) else name)
    text = pointer(*reversed(parts))
    return text if len(text) <= _MAX_POINTER_LENGTH else text[:_MAX_POINTER_LENGTH] + "…"


def _lone_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()
