"""A peer on wsproto, which uses no socket: this program reads and writes one for it."""

import socket
import threading
import time
import urllib.parse

from harness import end_with_stdin, for_each_url, report, role, script_of
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)


class Peer:
    def __init__(self, connected, kind):
        connected.settimeout(10)
        self.socket = connected
        self.protocol = WSConnection(kind)
        self.parts = []

    def send(self, *events):
        self.socket.sendall(b"".join(self.protocol.send(event) for event in events))

    def events(self):
        while True:
            data = self.socket.recv(65536)
            self.protocol.receive_data(data or None)
            yield from self.protocol.events()

    def play(self, script, events):
        try:
            self.play_until_closed(script, events)
        except OSError as error:
            report("closed", id=script["id"], says=repr(error), received=None)

    def play_until_closed(self, script, events):
        if script["do"] == "fragments":
            self.send_fragments(TextMessage, ["Grü", "ße, ", "", "世界"])
            self.send_fragments(BytesMessage, [b"\x00\x01", b"", b"\x02"])
        elif script["do"] == "close":
            self.send(CloseConnection(code=script["code"], reason=script["reason"]))
        elif script["do"] == "ping":
            sent_at = time.perf_counter()
            self.send(Ping(payload=b"wsproto"))
        for event in events:
            if isinstance(event, Ping):
                # wsproto refuses to send a Pong after the Close.
                if self.protocol.state is ConnectionState.OPEN:
                    self.send(event.response())
            elif isinstance(event, Pong) and bytes(event.payload) == b"wsproto":
                report("pong", id=script["id"], latency=(time.perf_counter() - sent_at) * 1000)
            elif isinstance(event, (TextMessage, BytesMessage)):
                self.echo(event)
            elif isinstance(event, CloseConnection):
                if self.protocol.state is ConnectionState.REMOTE_CLOSING:
                    self.send(event.response())
                received = {"code": int(event.code), "reason": event.reason or ""}
                report("closed", id=script["id"], says=repr(event), received=received)
                return

    def send_fragments(self, kind, parts):
        for part in parts[:-1]:
            self.send(kind(data=part, message_finished=False))
        self.send(kind(data=parts[-1], message_finished=True))

    def echo(self, event):
        self.parts.append(event.data)
        if event.message_finished:
            data = type(event.data)().join(self.parts)
            self.parts = []
            self.send(type(event)(data=data))


def handle(connected):
    with connected:
        peer = Peer(connected, ConnectionType.SERVER)
        events = peer.events()
        request = next(events)
        peer.send(AcceptConnection())
        peer.play(script_of(request.target), events)


def listen():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        report("listening", port=listener.getsockname()[1])
        while True:
            connected, _address = listener.accept()
            threading.Thread(target=handle, args=(connected,), daemon=True).start()


def connect(url):
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connected:
        peer = Peer(connected, ConnectionType.CLIENT)
        events = peer.events()
        peer.send(Request(host=parts.netloc, target=parts.path))
        next(events)
        peer.play(script_of(url), events)
        # The server ends the TCP connection first (RFC 6455 section 7.1.1).
        while connected.recv(65536):
            pass


if role() == "server":
    end_with_stdin()
    listen()
else:
    for_each_url(connect)
