"""Groups of options: a command takes a dataclass, and the user gives its fields as options of their own."""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the fields of its dataclass parameters as parameters, for Typer to read."""
    parameters = inspect.signature(command).parameters.values()
    groups: dict[str, Any] = {each.name: each.annotation for each in parameters if is_dataclass(each.annotation)}

    def call(**options: Any) -> None:
        for name, group in groups.items():
            options[name] = group(**{field.name: options.pop(field.name) for field in fields(group)})
        command(**options)

    flat = [parameter.replace(kind=_KEYWORD) for parameter in parameters if parameter.name not in groups]
    flat += [option for group in groups.values() for option in _options_of(group)]
    # inspect.signature, and so Typer, reads this attribute, which the type of functions does not have.
    call.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
    call.__annotations__ = {option.name: option.annotation for option in flat}
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    return call


def _options_of(group: Any) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(field.name, _KEYWORD, default=field.default, annotation=field.type) for field in fields(group)
    ]
