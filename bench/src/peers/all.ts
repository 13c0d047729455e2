import { fileURLToPath } from "node:url";
import { foreignProgram, nodeProgram, packageVersion, type Availability, type Peer } from "./peer.js";

/** In the order of the table. A peer is its server program and an entry here. */
export const allPeers: readonly Peer[] = [
  {
    name: "holdfast",
    about: "forEach, defaults: keepalive and latency on",
    find: () => nodeProgram("holdfast-server.js", packageVersion("holdfast")),
  },
  {
    name: "holdfast-for-await",
    about: "as holdfast, consumed by `for await`",
    workloads: ["S3"],
    find: () => nodeProgram("holdfast-for-await-server.js", packageVersion("holdfast")),
  },
  {
    name: "ws",
    about: "defaults: no keepalive, no compression, no native add-on",
    find: () => nodeProgram("ws-server.js", packageVersion("ws")),
  },
  {
    name: "ws-keepalive",
    about: "as ws, with the ping recipe of its README",
    workloads: ["M1"],
    find: () => nodeProgram("ws-keepalive-server.js", packageVersion("ws")),
  },
  {
    name: "net",
    about: "bytes echoed by node:net without any protocol: the ceiling of Node",
    find: () => nodeProgram("net-server.js", `Node ${process.version}`),
  },
  {
    name: "python-websockets",
    about: "asyncio, defaults: keepalive on, compression off",
    isSlow: true,
    find: findPythonWebsockets,
  },
];

function findPythonWebsockets(): Availability {
  // Debian's own Python, since that is the one that sees its package python3-websockets.
  const interpreter = process.platform === "linux" ? "/usr/bin/python3" : "python3";
  const script = fileURLToPath(new URL("../../python/websockets_server.py", import.meta.url));
  const printVersion = "import websockets.version as v; print('Python websockets', v.version)";
  const reason = "the Python package is not installed (Debian: apt-get install python3-websockets)";
  return foreignProgram(interpreter, [script], ["-c", printVersion], reason);
}
