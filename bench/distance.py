"""A TCP relay that brings every byte late, both ways: storage in another region."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def distant(ports: list[int], round_trip_seconds: float) -> Iterator[dict[int, int]]:
    """For each port the one that leads there through the relay; connecting itself costs no time."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def call[T](work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    servers = {port: call(_listen(port, round_trip_seconds / 2)) for port in ports}
    try:
        yield {port: server.sockets[0].getsockname()[1] for port, server in servers.items()}
    finally:
        for server in servers.values():
            loop.call_soon_threadsafe(server.close)
        call(_end_connections())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _end_connections() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(port: int, delay: float) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_late(reader, back, delay), _late(there, writer, delay))

    return await asyncio.start_server(connected, "127.0.0.1", 0)


async def _late(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while part := await source.read(65536):
            loop.call_later(delay, target.write, part)
    loop.call_later(delay, target.close)
