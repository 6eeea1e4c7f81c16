"""Applications over real HTTP, on a free port of loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI


def listening() -> socket.socket:
    """A socket that listens on a free port of loopback; where it listens, its name tells.

    It says its protocol, as those do that a server makes for a host and a port: asyncio sets
    TCP_NODELAY on no other, and each answer of two writes would take the 40 ms of a late
    acknowledgement.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def address_of(listener: socket.socket) -> str:
    """The URL of a server behind a listening socket."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def server_of(app: FastAPI) -> uvicorn.Server:
    """A server that logs nothing."""
    return uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, access_log=False))


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve in this event loop; gives the URL once the application has started.

    Raises:
        RuntimeError: it did not start.
    """
    server = server_of(app)
    with listening() as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                if task.done():
                    await task
                    raise RuntimeError("the application did not start")
                await asyncio.sleep(0.01)
            yield address_of(listener)
        finally:
            server.should_exit = True
            await task
