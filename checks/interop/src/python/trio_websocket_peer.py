"""A peer on trio-websocket."""

import time

import trio
from harness import end_with_stdin, for_each_url, report, role, script_of
from trio_websocket import ConnectionClosed, open_websocket_url, serve_websocket


async def play(websocket, script):
    try:
        if script["do"] == "ping":
            start = time.perf_counter()
            with trio.fail_after(5):
                await websocket.ping()
            report("pong", id=script["id"], latency=(time.perf_counter() - start) * 1000)
        elif script["do"] == "close":
            await websocket.aclose(script["code"], script["reason"])
        if script["do"] == "heartbeat":
            async with trio.open_nursery() as nursery:
                nursery.start_soon(heartbeat, websocket, script["timeout"], script["interval"])
                await echo(websocket)
        else:
            await echo(websocket)
    except trio.TooSlowError:
        report("too slow", id=script["id"])
    except ConnectionClosed:
        pass
    # Leaving the connection's `async with` block does the same, whatever was raised in it.
    await websocket.aclose()
    closed = websocket.closed
    report(
        "closed",
        id=script["id"],
        says=f"{closed.code} ({closed.name}) {closed.reason}",
        received={"code": closed.code, "reason": closed.reason or ""},
    )


async def heartbeat(websocket, timeout, interval):
    """The recipe of trio-websocket's documentation."""
    while True:
        with trio.fail_after(timeout):
            await websocket.ping()
        await trio.sleep(interval)


async def echo(websocket):
    while True:
        await websocket.send_message(await websocket.get_message())


async def handle(request):
    await play(await request.accept(), script_of(request.path))


async def listen():
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, None)
        report("listening", port=server.port)


async def connect(url):
    async with open_websocket_url(url) as websocket:
        await play(websocket, script_of(url))


if role() == "server":
    end_with_stdin()
    trio.run(listen)
else:
    for_each_url(lambda url: trio.run(connect, url))
