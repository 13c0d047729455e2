"""The common part of the peers.

A peer is started with its role, "server" or "client", and settings as JSON. It writes what it sees as lines of JSON.
A client connects to each URL that it reads from standard input. The path of every URL, on either side, is the script
of that connection: percent-encoded JSON with an "id", and with what to "do" before echoing until the end. A peer ends
when its standard input does.
"""

import json
import os
import sys
import threading
import urllib.parse

_lock = threading.Lock()


def role():
    return sys.argv[1]


def settings():
    return json.loads(sys.argv[2])


def report(event, **details):
    with _lock:
        print(json.dumps({"event": event, **details}), flush=True)


def script_of(target):
    """The script in a URL or in its path."""
    return json.loads(urllib.parse.unquote(urllib.parse.urlsplit(target).path[1:]))


def end_with_stdin():
    """For servers: ends this process when its parent has exited."""

    def wait():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def for_each_url(connect):
    """For clients: calls `connect` with each URL, in its own thread."""

    def run(url):
        try:
            connect(url)
        except Exception as error:
            report("failed", id=script_of(url)["id"], says=repr(error))

    report("ready")
    for line in sys.stdin:
        threading.Thread(target=run, args=(line.strip(),), daemon=True).start()
    os._exit(0)
