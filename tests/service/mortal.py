"""A process that dies at a chosen call to the outside."""

from typing import Any

from tests.service.delivery.interleavings import Crash


class Mortal:
    """Ports of one process, which dies right before or right after its n-th call."""

    def __init__(self, calls_left: int, *, after: bool) -> None:
        self.calls_left, self.after = calls_left, after

    def port(self, port: Any) -> Any:
        mortal = self

        class Dying:
            def __getattr__(self, name: str) -> Any:
                call = getattr(port, name)

                def called(*args: Any, **kwargs: Any) -> Any:
                    mortal.calls_left -= 1
                    if mortal.calls_left == 0 and not mortal.after:
                        raise Crash
                    answer = call(*args, **kwargs)
                    if mortal.calls_left == 0:
                        raise Crash
                    return answer

                return called

        return Dying()
