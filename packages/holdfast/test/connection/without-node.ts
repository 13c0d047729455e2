// Runs a connection from opening to end without any module of Node, in its own process, and prints the
// events.

import { register } from "node:module";
import type { Clock } from "../../build/connection/ports.js";
import type { MemoryWire } from "./memory-transport.js";

const headers = new Headers(); // Load this first: Node creates the class on first use, with its own modules.
// From here on, modules of Node cannot be resolved.
register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) => {
      if (!specifier.startsWith(".") && !specifier.startsWith("file:")) throw new Error("No module " + specifier);
      return next(specifier, context);
    };`)}`,
);
for (const name of ["Buffer", "process", "setImmediate", "clearImmediate", "global"]) {
  Reflect.deleteProperty(globalThis, name);
}

const clock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
  afterPoll: (callback) => void setTimeout(callback, 0),
  atTurnEnd: (callback) => queueMicrotask(callback),
};

const { createConnection } = await import("../../build/connection/connection.js");
const { coreOf } = await import("../../build/connection/core-of.js");
const { heartbeatKeepalive } = await import("../../build/connection/keepalive/heartbeat-keepalive.js");
const { checkConnectionOptions } = await import("../../build/connection/options.js");
const { Runtime } = await import("../../build/connection/runtime.js");
const { explain } = await import("../../build/connection/explain/explain.js");
const { MemoryWire: AnyWire } = await import("./memory-transport.js");

const wires: MemoryWire[] = [];
const connection = createConnection({
  keepalive: heartbeatKeepalive,
  runtime: new Runtime(clock, { fill: (target) => void target.fill(7) }),
  transport: (handler) => {
    const wire = new AnyWire(handler, clock);
    wires.push(wire);
    return wire;
  },
  settings: checkConnectionOptions({}),
  handshake: {
    url: "ws://example.com/",
    request: { method: "GET", target: "/", headers },
    response: { status: 101, headers },
    subprotocol: null,
    extensions: [],
  },
  owner: null,
});
coreOf(connection).start();

const [wire] = wires;
const seen: unknown[] = [];
const ended = connection.forEach((message) =>
  seen.push(typeof message === "string" ? message : [...message]),
);
await connection.send("hello");
await connection.send(new Uint8Array([1, 2, 3]));
await connection.send(["one", "two"]);
wire.deliver("welcome");
wire.deliver(new Uint8Array([4, 5]));
wire.answerPing();
const roundTrip = connection.ping(new Uint8Array([1]));
wire.answerPing();
seen.push((await roundTrip) < 10_000);
wire.deliverClose({ code: 1001, reason: "bye" });
wire.destroy();
const info = await ended;
seen.push(explain(info).startsWith("The peer is going away"));
const { message, cause, evidence } = info;
console.log(JSON.stringify({ log: wire.log, seen, message, cause, sent: evidence.messagesSent }));
