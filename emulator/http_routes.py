"""Routes as the Functions host matches them: function by function in the order of their names, not the closest first.

A template is ASP.NET Core's: literals, ``{name}``, ``{name:constraint}``, ``{name?}``, ``{name=default}``, ``{*rest}``.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emulator.host_settings import LoadError
from emulator.runtime import Function

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)((?::\w+(?:\([^)]*\))?)*)(\?|=[^}]*)?\}")
_CONSTRAINT = re.compile(r":(\w+)(?:\(([^)]*)\))?")
_INTEGER = re.compile(r"[ \t]*[+-]?[0-9]+[ \t]*")
_GUID = re.compile(r"[0-9a-f]{32}|(\{|\(|)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(\}|\)|)", re.IGNORECASE)
#: The host keeps these for itself, whatever follows: ``administration`` too.
_RESERVED = ("admin", "runtime")

type Check = Callable[[str], bool]


@dataclass(frozen=True)
class Route:
    """A function's route. No methods: all of them."""

    function: Function
    methods: frozenset[str]
    pattern: re.Pattern[str]
    checks: tuple[tuple[str, Check], ...]
    defaults: dict[str, str]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the route's values for a decoded path, None where it is another route's."""
        found = self.pattern.fullmatch(path) if not self.methods or method.upper() in self.methods else None
        if found is None:
            return None
        given = {name: text for name, text in found.groupdict().items() if text is not None}
        if not all(check(given[name]) for name, check in self.checks if name in given):
            return None
        return self.defaults | given


def routes(functions: Iterable[Function], prefix: str) -> list[Route]:
    """Return the routes in the host's order: by function name in upper case, so that ``_`` follows the letters.

    Raises ``LoadError`` for a constraint that is not known.
    """
    ordered = sorted(functions, key=lambda function: function.name.upper())
    return [_route(function, prefix) for function in ordered if not reserved(function)]


def reserved(function: Function) -> bool:
    """Return whether the host refuses the function's route."""
    return _template(function).lower().startswith(_RESERVED)


def _template(function: Function) -> str:
    return str(function.trigger.get("route") or function.name).strip("/")


def _route(function: Function, prefix: str) -> Route:
    whole = f"{prefix}/{_template(function)}".strip("/")
    pattern, checks, defaults = "", [], {}
    for segment in whole.split("/"):
        alone = _PARAMETER.fullmatch(segment)
        pattern += _alone(alone) if alone else f"/{_mixed(segment)}"
        for found in _PARAMETER.finditer(segment):
            name, constraints, more = found[2], found[3], found[4] or ""
            checks += [(name, _check(kind, argument)) for kind, argument in _CONSTRAINT.findall(constraints)]
            if more.startswith("="):
                defaults[name] = more[1:]
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
    compiled = re.compile(f"{pattern}/?", re.IGNORECASE | re.DOTALL)
    return Route(function, methods, compiled, tuple(checks), defaults)


def _alone(parameter: re.Match[str]) -> str:
    """Return the pattern of a segment that is one parameter, its slash included."""
    star, name, _, more = parameter.groups()
    if star:
        return f"(?:/(?P<{name}>[^/].*)?)?"
    return f"(?:/(?P<{name}>[^/]+))?" if more else f"/(?P<{name}>[^/]+)"


def _mixed(segment: str) -> str:
    """Return the pattern of a segment of literals with parameters between them."""
    pattern, at = "", 0
    for found in _PARAMETER.finditer(segment):
        pattern += f"{re.escape(segment[at : found.start()])}(?P<{found[2]}>[^/]+)"
        at = found.end()
    return pattern + re.escape(segment[at:])


def _check(kind: str, argument: str) -> Check:
    try:
        return _CHECKS[kind.lower()](argument)
    except (KeyError, ValueError) as error:
        raise LoadError(f"the route constraint {kind}({argument}) is not one that this host knows") from error


def _integer(bits: int) -> Callable[[str], Check]:
    return lambda _: lambda text: bool(_INTEGER.fullmatch(text)) and -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)


def _number(argument: str, compare: Callable[[int, int], bool]) -> Check:
    limit, whole = int(argument), _integer(64)("")
    return lambda text: whole(text) and compare(int(text), limit)


def _units(text: str) -> int:
    """Return the length as .NET counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _length(argument: str) -> Check:
    least, _, most = argument.partition(",")
    low, high = int(least), int(most or least)
    return lambda text: low <= _units(text) <= high


def _guid(text: str) -> bool:
    found = _GUID.fullmatch(text)
    return found is not None and (found[1], found[2]) in {(None, None), ("", ""), ("{", "}"), ("(", ")")}


_CHECKS: dict[str, Callable[[str], Check]] = {
    "alpha": lambda _: lambda text: re.fullmatch("[A-Za-z]*", text) is not None,
    "bool": lambda _: lambda text: text.strip().lower() in {"true", "false"},
    "guid": lambda _: _guid,
    "int": _integer(32),
    "length": _length,
    "long": _integer(64),
    "max": lambda argument: _number(argument, lambda value, limit: value <= limit),
    "maxlength": lambda argument: _length(f"0,{int(argument)}"),
    "min": lambda argument: _number(argument, lambda value, limit: value >= limit),
    "minlength": lambda argument: _length(f"{int(argument)},{2**31}"),
}
