"""A webhook source's map: JMESPath expressions that make messages of the sender's own JSON.

Two functions are ours: ``body()`` is the whole body, also inside ``$each``, and ``timestamp(value)`` turns a time into
RFC 3339.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions, signature
from jmespath.parser import ParsedResult

from shared.core.basics.strict_json import Fault, InvalidMessage, pointer
from shared.core.intake.sender_time import rfc_3339
from shared.core.intake.update_schema import UPDATE_SCHEMA, USER_STATUS_SCHEMA

#: The expression that finds the events of one request.
EACH: Final = "$each"
_STATUS = "userStatus."
#: The members of a message that an expression may give; ``$each`` beside them.
TARGETS: Final = frozenset(
    [name for name in UPDATE_SCHEMA["properties"] if name not in ("userStatus", "source")]
    + [_STATUS + name for name in USER_STATUS_SCHEMA["properties"]]
)
#: JMESPath's names of types, and Python's where the library lets them through.
_TYPES = {
    "null": "null",
    "NoneType": "null",
    "string": "a string",
    "str": "a string",
    "boolean": "a boolean",
    "bool": "a boolean",
    "number": "a number",
    "int": "a number",
    "float": "a number",
    "array": "an array",
    "list": "an array",
    "object": "an object",
    "dict": "an object",
    "expref": "an expression",
    "array-string": "an array of strings",
    "array-number": "an array of numbers",
}


class _NoTime(ValueError):
    """A value that is no time; its text is the fault."""


class _RelayFunctions(Functions):
    """JMESPath's own functions and ours."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    @signature()
    def _func_body(self) -> Any:
        return self._body

    @signature({"types": ["number", "string", "null"]})
    def _func_timestamp(self, value: str | float | None) -> str | None:
        if value is None:
            return None
        try:
            return rfc_3339(value)
        except ValueError:
            raise _NoTime(f"timestamp() reads no time in {str(value)[:80]!r}") from None


@dataclass(frozen=True)
class MessageMap:
    """Expressions over a sender's JSON, by the member that each gives; ``each`` finds the events in one request."""

    members: Mapping[str, ParsedResult]
    each: ParsedResult | None = None

    @classmethod
    def compiled(cls, expressions: Mapping[str, str]) -> "MessageMap":
        """Return the map of expressions that have no faults."""
        compiled = {target: jmespath.compile(text) for target, text in expressions.items()}
        return cls({name: parsed for name, parsed in compiled.items() if name != EACH}, compiled.get(EACH))

    def events(self, body: Any) -> list[Any] | InvalidMessage:
        """Return what becomes a message each."""
        if self.each is None:
            return [body]
        found = _search(self.each, body, body, EACH)
        if isinstance(found, Fault):
            return InvalidMessage((Fault("", f"{EACH}: {found.detail}"),))
        return found if isinstance(found, list) else [] if found is None else [found]

    def message(self, event: Any, body: Any) -> dict[str, Any] | InvalidMessage:
        """Return the message of one event, not validated yet. A member whose expression finds null is left out."""
        message: dict[str, Any] = {}
        faults: list[Fault] = []
        for target, value in self.values(event, body):
            if isinstance(value, Fault):
                faults.append(value)
            elif value is not None:
                holder = message.setdefault("userStatus", {}) if target.startswith(_STATUS) else message
                holder[target.removeprefix(_STATUS)] = value
        return InvalidMessage(tuple(faults)) if faults else message

    def values(self, event: Any, body: Any) -> Iterator[tuple[str, Any]]:
        """Yield each member with what its expression finds: a value, null, or the fault."""
        for target, expression in self.members.items():
            yield target, _search(expression, event, body, target)


def map_faults(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a map's expressions: the member and the fault."""
    for target, expression in members.items():
        if target != EACH and target not in TARGETS:
            yield target, "is no member of a message"
        elif isinstance(expression, str):
            yield from ((target, fault) for fault in _expression_faults(expression))


def _expression_faults(expression: str) -> Iterator[str]:
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        yield f"is no JMESPath expression: {str(error).splitlines()[0][:200]}"
        return
    for name in sorted(_functions_in(parsed.parsed) - _RelayFunctions.FUNCTION_TABLE.keys()):
        yield f"calls {name[:80]}(), which is no function of JMESPath or of the relay"


def _functions_in(node: Mapping[str, Any]) -> set[str]:
    own = {str(node["value"])} if node["type"] == "function_expression" else set()
    return own.union(*(_functions_in(child) for child in node["children"] if isinstance(child, Mapping)))


def _search(expression: ParsedResult, event: Any, body: Any, target: str) -> Any:
    """Return what an expression finds, or a fault at the member that it is for."""
    try:
        return expression.search(event, jmespath.Options(custom_functions=_RelayFunctions(body)))
    except JMESPathTypeError as error:
        detail = _type_fault(error)
    except _NoTime as error:
        detail = str(error)
    except Exception:  # noqa: BLE001 - the boundary: functions fail in many ways on JSON that nobody foresaw
        detail = "the expression cannot work on this JSON"
    return Fault(pointer(*target.split(".")), f"the source's map does not fit: {detail}")


def _type_fault(error: JMESPathTypeError) -> str:
    found = _TYPES.get(error.actual_type, "something else")
    expected = " or ".join(_TYPES.get(name, name) for name in error.expected_types)
    return f"{error.function_name}() takes {expected} and found {found}"
