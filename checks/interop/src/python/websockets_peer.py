"""A peer on Python's websockets.

Its settings are those of connect() and serve(), ping_interval and ping_timeout, and "tls".
"""

import asyncio
import ssl
import tempfile

import websockets
from harness import end_with_stdin, for_each_url, report, role, script_of, settings


async def play(websocket, script):
    try:
        if script["do"] == "fragments":
            await websocket.send(["Grü", "ße, ", "", "世界"])
            await websocket.send([b"\x00\x01", b"", b"\x02"])
        elif script["do"] == "ping":
            answered = await websocket.ping()
            latency = await asyncio.wait_for(answered, 5)
            report("pong", id=script["id"], latency=latency * 1000)
        elif script["do"] == "close":
            await websocket.close(script["code"], script["reason"])
        while True:
            await websocket.send(await websocket.recv())
    except websockets.ConnectionClosed as closed:
        report(
            "closed",
            id=script["id"],
            says=str(closed),
            received=frame(closed.rcvd),
            sent=frame(closed.sent),
        )


def frame(close):
    return None if close is None else {"code": close.code, "reason": close.reason}


def options():
    others = settings()
    tls = others.pop("tls", None)
    return others if tls is None else {"ssl": context_of(tls), **others}


def context_of(tls):
    if "ca" in tls:
        return ssl.create_default_context(cadata=tls["ca"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # It only reads certificates from files.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(tls["key"] + tls["cert"])
        file.flush()
        context.load_cert_chain(file.name)
    return context


async def handle(websocket):
    # Since version 14 the path is in the request.
    path = getattr(websocket, "path", None) or websocket.request.path
    await play(websocket, script_of(path))


async def listen():
    async with websockets.serve(handle, "127.0.0.1", 0, **options()) as server:
        report("listening", port=next(iter(server.sockets)).getsockname()[1])
        await asyncio.Future()


async def connect(url):
    async with websockets.connect(url, **options()) as websocket:
        await play(websocket, script_of(url))


if role() == "server":
    end_with_stdin()
    asyncio.run(listen())
else:
    for_each_url(lambda url: asyncio.run(connect(url)))
