"""A link between two network namespaces that delays and loses packets, like netem, which not every kernel has.

The kernels at both ends speak TCP as usual; this program carries their packets between two TUN devices.

    bad_link.py NEAR FAR    the names of the namespaces; the addresses are 10.78.0.1 and 10.78.0.2

Standard input takes lines of JSON that change the link:
    {"delay": 25, "loss": 0.05, "jitter": 300, "bursts": 0.03, "queue": 3000}   milliseconds, shares
    {"drop": true}          from now on, drop the packets of all TCP connections so far, silently
"""

import fcntl
import heapq
import json
import os
import random
import selectors
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
TCP = 6


class Episodes:
    """Begins at random, `apart` seconds from each other on average."""

    def __init__(self, apart, shortest, longest):
        self.apart, self.shortest, self.longest = apart, shortest, longest
        self.start = time.monotonic() + random.expovariate(1 / apart)
        self.end = self.start + random.uniform(shortest, longest)

    def covers(self, now):
        if now >= self.end:
            self.start = now + random.expovariate(1 / self.apart)
            self.end = self.start + random.uniform(self.shortest, self.longest)
        return self.start <= now < self.end


class Direction:
    def __init__(self, target):
        self.target = target
        self.due = 0.0
        self.bursts = None
        self.bloat = None


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def place(name, namespace, own, peer):
    for args in (
        ["link", "set", name, "netns", namespace],
        ["-n", namespace, "link", "set", "lo", "up"],
        ["-n", namespace, "address", "add", own, "peer", peer, "dev", name],
        ["-n", namespace, "link", "set", name, "up"],
    ):
        subprocess.run(["ip", *args], check=True)


def flow_of(packet, from_near):
    """The port of the near end; None for other packets than those of TCP over IPv4."""
    if packet[0] >> 4 != 4 or packet[9] != TCP:
        return None
    ports = (packet[0] & 15) * 4
    return struct.unpack_from("!H", packet, ports if from_near else ports + 2)[0]


def main():
    near_name, far_name = sys.argv[1:3]
    near, far = (open_tun(f"bad{os.getpid()}{end}") for end in "nf")
    place(f"bad{os.getpid()}n", near_name, "10.78.0.1", "10.78.0.2")
    place(f"bad{os.getpid()}f", far_name, "10.78.0.2", "10.78.0.1")
    directions = {near: Direction(far), far: Direction(near)}
    settings = {"delay": 0, "loss": 0, "jitter": 0, "bursts": 0, "queue": 0}
    flows, dropped = set(), set()
    waiting, number = [], 0
    selector = selectors.DefaultSelector()
    for source in (near, far, sys.stdin.fileno()):
        selector.register(source, selectors.EVENT_READ)
    commands = b""
    print(json.dumps({"event": "ready"}), flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, target, packet = heapq.heappop(waiting)
            try:
                os.write(target, packet)
            except OSError:
                pass  # The device is going down.
        timeout = None if not waiting else max(0, waiting[0][0] - now)
        for key, _ in selector.select(timeout):
            if key.fd == sys.stdin.fileno():
                text = os.read(key.fd, 65536)
                if text == b"":
                    return
                *lines, commands = (commands + text).split(b"\n")
                for line in lines:
                    change = json.loads(line)
                    if change.pop("drop", False):
                        dropped |= flows
                    settings.update(change)
                    share, queue = settings["bursts"], settings["queue"]
                    for direction in directions.values():
                        direction.bursts = Episodes(0.275 / share - 0.275, 0.05, 0.5) if share else None
                    directions[far].bloat = Episodes(15, 2, 10) if queue else None
                    print(json.dumps({"event": "changed", "flows": len(flows)}), flush=True)
                continue
            direction = directions[key.fd]
            packet = os.read(key.fd, 65536)
            flow = flow_of(packet, key.fd == near)
            if flow is None:
                continue
            flows.add(flow)
            now = time.monotonic()
            if flow in dropped or random.random() < settings["loss"]:
                continue
            if direction.bursts is not None and direction.bursts.covers(now):
                continue
            delay = settings["delay"] + random.random() * settings["jitter"]
            if direction.bloat is not None and direction.bloat.covers(now):
                delay += settings["queue"]
            direction.due = max(direction.due, now + delay / 1000)  # In order, as in one queue.
            number += 1
            heapq.heappush(waiting, (direction.due, number, direction.target, packet))


main()
