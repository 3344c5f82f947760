"""Attributes that are made at their first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, overload


class Lockable(Protocol):
    """What has such attributes: ``lock`` is one reentrant lock for all of them, since one may need another."""

    lock: threading.RLock


class made_once[T]:  # noqa: N801 - a decorator, as functools.cached_property is
    """An attribute made at its first use, once, however many threads ask for it."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> made_once[T]: ...
    @overload
    def __get__(self, instance: Lockable, owner: type) -> T: ...
    def __get__(self, instance: Lockable | None, owner: type) -> made_once[T] | T:
        if instance is None:
            return self
        with instance.lock:  # found in __dict__ the next time, without a lock
            if self._name not in instance.__dict__:
                instance.__dict__[self._name] = self._make(instance)
        made: T = instance.__dict__[self._name]
        return made
