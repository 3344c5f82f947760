"""A relay in trouble, or a healthy one, whose telemetry leaves through the real exporter.

`python -m tests.infra.exported NAME`, with the connection string in the environment. The use cases are the app's
own; only storage, Graph and identity are fakes.
"""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Never

import azure.functions as func

from shared.adapters.azure_monitor import azure_monitor
from shared.core.delivery.graph_reply import GraphReply
from shared.service.delivery.deliver import Delivery
from shared.service.ports.storage import Unavailable
from shared.settings import Settings
from tests.builders import NOW
from tests.web.caller import ask
from tests.world import World


def healthy(world: World) -> None:
    """Deliver updates; one call of ten is throttled once, and one update of ten is refused."""
    world.graph.replies = [
        GraphReply(429, retry_after_seconds=1.0),
        *[GraphReply(200)] * 8,
        GraphReply(404, code="NotFound"),
    ]
    for n in range(10):
        world.accept(deviceComplianceUserStatusId=f"user-{n}")
    world.run()
    world.relay.publish_gauges()


def trouble(world: World) -> None:
    """Let everything happen that an alert is for."""
    for n in range(6):
        world.relay.deliver(Delivery(b"nonsense", f"raw-{n}", NOW, 1))
    world.graph.replies = [GraphReply(429, retry_after_seconds=1.0)] * 12
    world.accept()
    world.run()
    world.accept(deviceComplianceUserStatusId="poisoned")
    stuck = world.queue.messages.pop()
    for n in range(4):  # three times it is put back
        world.relay.consume_poison(Delivery(stuck.text.encode(), f"poison-{n}", NOW, 1))
        stuck = world.queue.messages.pop() if world.queue.messages else stuck
    world.graph.replies = [GraphReply(404, code="NotFound")]
    world.accept(deviceComplianceUserStatusId="refused")
    world.run()
    for user in ("braked-1", "braked-2"):
        world.accept(deviceComplianceUserStatusId=user, userStatus={"status": "conflict"})
    world.run()
    world.identity.fault = "the endpoint is away"
    world.accept(deviceComplianceUserStatusId="without-a-token")
    world.deliver_next()
    world.queue.touch = _away  # type: ignore[method-assign]
    ask(world.relay.health.ready)
    world.accept(deviceComplianceUserStatusId="waiting")
    world.clock.step(seconds=1000)
    world.relay.publish_gauges()
    world.outcomes.insert = _away  # type: ignore[method-assign]
    with suppress(Unavailable):  # the host gets it, and keeps it to itself
        world.relay.deliver_message(func.QueueMessage(id="last", body="nonsense"))


def _away(*_: object) -> Never:
    raise Unavailable("storage is away")


SCENARIOS: dict[str, Callable[[World], None]] = {"healthy": healthy, "trouble": trouble}


def main(name: str) -> None:
    """Run one scenario; the exporter sends what is left when the process ends."""
    logging.getLogger("shared").setLevel(logging.INFO)  # the level of the Functions worker
    telemetry = azure_monitor(
        os.environ["APPLICATIONINSIGHTS_CONNECTION_STRING"],
        sign_in=None,
        client_id=None,
        queue="compliance-updates",
        graph_root="https://graph.microsoft.com/beta",
    )
    environ = {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "CHANGE_BRAKE": "conflict=1/60"}
    SCENARIOS[name](World(Settings.from_environ(environ), telemetry))


if __name__ == "__main__":
    main(sys.argv[1])
