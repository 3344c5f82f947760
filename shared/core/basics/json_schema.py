"""Validation by JSON Schema 2020-12: all faults of a document at once, in plain words.

The schemas are what the OpenAPI document shows. A pattern is described by ``x-accepts`` beside it, or by its format.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from shared.core.basics.formats import FORMATS
from shared.core.basics.strict_json import Fault, pointer

_MAX_NAME_LENGTH = 100
_TYPES = {
    "object": "a JSON object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "boolean": "true or false",
}
_DETAILS = {
    "const": "must be {expected_value}",
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "minLength": "must have at least {limit} characters",
    "maxLength": "must have at most {limit} characters",
    "minItems": "must hold at least {limit}",
    "maxItems": "must hold at most {limit}",
}
#: Rules across members, which the callers state in plain words: a schema would only say that none of several fits.
_ACROSS = frozenset({"anyOf", "oneOf", "minProperties"})


class Validator:
    """Validates by one schema; ``unknown`` is the fault of a member that it does not have."""

    def __init__(self, schema: Mapping[str, Any], *, unknown: str = "is not a member of this message") -> None:
        self._schema, self._unknown = schema, unknown
        checks = {name: rule.accepts for name, rule in FORMATS.items()}
        self._validator = Draft202012Validator(dict(schema), validate_formats=True, formats=checks)

    def faults(self, document: object) -> Iterator[Fault]:
        """Yield every fault of a document, each with the pointer of its member."""
        for error in self._validator.iter_errors(document):
            yield from self._faults(error)

    def _faults(self, error: ValidationError) -> Iterator[Fault]:
        at, details = pointer(*error.instance_path), error.kind.as_dict()
        match error.kind.name:
            case "required":
                yield Fault(at + pointer(details["property"]), "is required")
            case "additionalProperties":
                for name in details["unexpected"]:
                    yield Fault(at + pointer(_short(name)), self._unknown)
            case "enum" | "const" if not isinstance(error.instance, str):
                return  # of another type: that fault is enough
            case kind if kind in _ACROSS:
                return
            case kind:
                yield Fault(at, self._detail(kind, details, error))

    def _detail(self, kind: str, details: Mapping[str, Any], error: ValidationError) -> str:
        rule = self._rule(error)
        match kind:
            case "format" | "pattern" if "x-accepts" not in rule or kind == "format":
                return FORMATS[rule["format"]].fault(str(error.instance))
            case "pattern":
                return f"must be {rule['x-accepts']}"
            case "type":
                return f"must be {_TYPES[details['types'][0]]}"
            case "enum":
                return f"must be one of {', '.join(details['options'])}"
            case _:
                return _DETAILS[kind].format_map(details)

    def _rule(self, error: ValidationError) -> Mapping[str, Any]:
        """Return the part of the schema that holds the keyword that refused."""
        rule: Any = self._schema
        for step in error.schema_path[:-1]:
            rule = rule[step]
        return dict(rule)


def _short(name: str) -> str:
    return name if len(name) <= _MAX_NAME_LENGTH else name[:_MAX_NAME_LENGTH] + "…"
