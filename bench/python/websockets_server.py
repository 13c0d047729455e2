"""The server of the peer python-websockets: echoes every message, with the library's defaults."""

import asyncio
import gc
import os
import resource
import signal

from websockets import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

try:
    from websockets.asyncio.server import serve
except ImportError:  # before websockets 13
    from websockets.server import serve


async def main():
    raise_file_limit()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, gc.collect)
    watch = asyncio.create_task(end_with_parent())
    async with serve(echo, "127.0.0.1", 0, compression=None, extensions=extensions()) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await watch


async def end_with_parent():
    """Ends this server if its parent was killed."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(5)


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass


def extensions():
    setting = os.environ.get("DEFLATE", "0")
    if setting == "0":
        return None
    # The windows and the memory level that the library itself uses when compression is "deflate".
    return [
        ServerPerMessageDeflateFactory(
            server_no_context_takeover=setting == "nct",
            client_no_context_takeover=setting == "nct",
            server_max_window_bits=12,
            client_max_window_bits=12,
            compress_settings={"memLevel": 5},
        )
    ]


def raise_file_limit():
    """Raises the limit of open files for ten thousand connections; Node does that automatically."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


asyncio.run(main())
