import { redisVersion } from "../machine/redis.js";
import type { Load, Workload } from "../workload.js";
import {
  foreignProgram,
  nodeProgram,
  packageVersion,
  pathOf,
  runtimeProgram,
  type Availability,
  type NodeProgramOptions,
  type Peer,
} from "./peer.js";

/** In the order of the table. A peer consists of its programs and an entry here. */
export const allPeers: readonly Peer[] = [
  {
    name: "holdfast",
    about: "forEach, defaults: keepalive and latency on",
    isQuick: true,
    findServer: () => packagedProgram("holdfast", "holdfast-server.js"),
    findClient: () => packagedProgram("holdfast", "holdfast-client.js"),
    findProcess: () => onRedis("@holdfast/redis", "cluster/holdfast-process.js"),
  },
  {
    name: "holdfast-topics",
    about: "topics.publish() with history over Redis, in the place of broadcast(); without the time of Redis",
    can: (load) => load.kind === "broadcast",
    takesPart: only("T3"),
    findServer: () => onRedis("@holdfast/redis", "holdfast-topics-server.js"),
  },
  {
    name: "socket.io-redis-streams",
    about: "Socket.IO with its adapter for Redis streams, defaults, with connection state recovery",
    dialect: "socket.io",
    findProcess: () => onRedis("@socket.io/redis-streams-adapter", "cluster/socket-io-process.js"),
  },
  {
    name: "crossws-redis",
    about: "crossws with its driver for Redis pub/sub, defaults: no history",
    findProcess: () => onRedis("crossws", "cluster/crossws-process.js"),
  },
  {
    name: "redis-pubsub",
    about: "Redis pub/sub by ioredis and broadcast(), without topics: the least that this load takes",
    takesPart: only("T2"),
    findProcess: () => onRedis("ioredis", "cluster/redis-pubsub-process.js"),
  },
  {
    name: "holdfast-for-await",
    about: "as holdfast, consumed by `for await`",
    takesPart: only("S3"),
    isQuick: true,
    findServer: () => packagedProgram("holdfast", "holdfast-for-await-server.js"),
  },
  linked("holdfast-link", "as holdfast, over the link protocol, at a server with sessions", 1),
  linked("holdfast-session", "the same with a session for each connection", 2),
  {
    name: "holdfast-adaptive",
    about: 'as holdfast, with detection: "adaptive"',
    takesPart: only("M5"),
    isQuick: true,
    findServer: () =>
      packagedProgram("holdfast", "holdfast-server.js", { environment: { DETECTION: "adaptive" } }),
  },
  {
    name: "holdfast-raw-text",
    about: 'as holdfast, with the option text: "bytes"',
    takesPart: ({ id }) => id === "M7r" || id === "M8",
    isQuick: true,
    findServer: () => packagedProgram("holdfast", "holdfast-server.js", { environment: { RAW_TEXT: "1" } }),
  },
  {
    name: "holdfast-websocket",
    about: "the standard's class `WebSocket` of holdfast/websocket",
    takesPart: only("K1"),
    isQuick: true,
    findClient: () => packagedProgram("holdfast", "holdfast-websocket-client.js"),
  },
  {
    name: "holdfast-ws",
    about: "@holdfast/ws, the interface of ws: the program of ws with one line changed, keepalive on",
    takesPart: ({ id }) => id === "S3" || id === "K1",
    isQuick: true,
    findServer: () => packagedProgram("@holdfast/ws", "holdfast-ws-server.js"),
    findClient: () => packagedProgram("@holdfast/ws", "holdfast-ws-client.js"),
  },
  {
    name: "ws",
    about: "defaults: no keepalive, no compression, no native add-on",
    // Its README sends pings with a recipe; that recipe is the peer after next.
    can: (load) => load.kind !== "keepalive",
    isQuick: true,
    findServer: () => packagedProgram("ws", "ws-server.js", withoutAddOn),
    findClient: () => packagedProgram("ws", "ws-client.js", withoutAddOn),
  },
  {
    name: "ws-bufferutil",
    about: "as ws, with the native add-on bufferutil, which masks and unmasks",
    takesPart: ({ load }) =>
      load.kind === "client" || (load.kind === "echo" && load.compression === undefined),
    findServer: () => withBufferutil("ws-server.js"),
    findClient: () => withBufferutil("ws-client.js"),
  },
  {
    name: "ws-keepalive",
    about: "as ws, with the ping recipe of its README",
    takesPart: ({ id, load }) => id === "M1" || load.kind === "keepalive",
    isQuick: true,
    findServer: () => packagedProgram("ws", "ws-keepalive-server.js", withoutAddOn),
  },
  {
    name: "ws-string",
    about: "as ws, which hands out text as bytes, with `toString()` on each message",
    takesPart: only("M7"),
    isQuick: true,
    findServer: () => packagedProgram("ws", "ws-string-server.js", withoutAddOn),
  },
  {
    name: "node-websocket",
    about: "the WebSocket that Node has built in",
    findClient: () =>
      nodeProgram("global-client.js", `Node ${process.version}`, { flags: ["--experimental-websocket"] }),
  },
  {
    name: "net",
    about: "bytes echoed by node:net without any protocol: the ceiling of Node",
    can: (load) => load.kind === "handshake" || isPlain(load),
    findServer: () => nodeProgram("net-server.js", `Node ${process.version}`),
  },
  {
    name: "bun",
    about: "Bun.serve, no keepalive; its own WebSocket as the client",
    can: (load) => load.kind !== "keepalive",
    findServer: () => runtimeProgram("bun", [pathOf("../../bun/server.js")], ["--version"]),
    findClient: () => runtimeProgram("bun", [pathOf("global-client.js")], ["--version"]),
  },
  {
    name: "deno",
    about: "Deno.serve and Deno.upgradeWebSocket, which compress nothing",
    can: (load) => load.kind === "handshake" || isPlain(load),
    findServer: () =>
      runtimeProgram(
        "deno",
        ["run", "--v8-flags=--expose-gc", "--allow-all", pathOf("../../deno/server.js")],
        ["--version"],
      ),
  },
  {
    name: "python-websockets",
    about: "asyncio, defaults: keepalive on, compression off",
    can: (load) => load.kind === "handshake" || load.kind === "echo" || load.kind === "idle",
    findServer: findPythonWebsockets,
  },
];

function only(id: string): (workload: Workload) => boolean {
  return (workload) => workload.id === id;
}

/** Echo and idle loads without compression: even a peer that only copies bytes can run them. */
function isPlain(load: Load): boolean {
  return (load.kind === "echo" || load.kind === "idle") && load.compression === undefined;
}

/** ws uses bufferutil if it is installed. */
const withoutAddOn: NodeProgramOptions = { environment: { WS_NO_BUFFER_UTIL: "1" } };

/** A server with sessions, and clients that speak this version of the link protocol. Runs if `--peers` names it. */
function linked(name: string, about: string, link: 1 | 2): Peer {
  return {
    name,
    about,
    can: isPlain,
    takesPart: () => false,
    findServer: () => {
      const found = packagedProgram("holdfast", "holdfast-server.js", { environment: { SESSIONS: "1" } });
      return found.isAvailable ? { ...found, program: { ...found.program, link } } : found;
    },
  };
}

function packagedProgram(name: string, file: string, options?: NodeProgramOptions): Availability {
  const version = packageVersion(name);
  if (version === null)
    return { isAvailable: false, reason: `the package ${name} is not installed (npm ci)` };
  return nodeProgram(file, version, options);
}

/** A program that needs redis-server. */
function onRedis(name: string, file: string): Availability {
  const redis = redisVersion();
  const reason = "redis-server is not installed (scripts/install-peers.sh redis)";
  if (redis === null) return { isAvailable: false, reason };
  const found = packagedProgram(name, file);
  if (!found.isAvailable) return found;
  return { ...found, program: { ...found.program, needsRedis: true }, version: `${found.version}, ${redis}` };
}

function withBufferutil(file: string): Availability {
  const version = packageVersion("bufferutil");
  const reason = "the optional package bufferutil is not installed (npm ci)";
  if (version === null) return { isAvailable: false, reason };
  const found = packagedProgram("ws", file);
  return found.isAvailable ? { ...found, version: `${found.version}, ${version}` } : found;
}

function findPythonWebsockets(): Availability {
  // Debian's own Python: only that one finds the package python3-websockets.
  const interpreter = process.platform === "linux" ? "/usr/bin/python3" : "python3";
  const printVersion = "import websockets.version as v; print('Python websockets', v.version)";
  const reason = "the Python package is not installed (Debian: apt-get install python3-websockets)";
  const script = pathOf("../../python/websockets_server.py");
  return foreignProgram(interpreter, [script], ["-c", printVersion], reason);
}
