// The verb `holdfast serve`: its options and its help.

import { KEEPALIVE_OPTIONS, MESSAGE_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";
import { FAULT_OPTIONS } from "./faults.js";

export const serveVerb: Verb = {
  name: "serve",
  summary: "run an echo server, with faults on demand",
  operands: "[port]",
  operandCount: [0, 1],
  unit: "ms",
  options: {
    host: { value: "ADDRESS", help: "address to listen on (127.0.0.1); 0.0.0.0 or :: for all interfaces" },
    cert: { value: "FILE", help: "serve wss: with this certificate (PEM), with --key" },
    key: { value: "FILE", help: "the private key of --cert (PEM)" },
    subprotocol: { value: "NAME", isList: true, help: "accept a subprotocol; may be repeated" },
    compress: { help: "accept compression (permessage-deflate)" },
    ...MESSAGE_OPTIONS,
    json: { help: "print one JSON object per line instead of the log" },
    sessions: { help: "keep sessions across reconnects, for connect --session" },
    retain: { value: "TIME", help: "with --sessions: how long a session without a socket is kept (2m)" },
    topics: { help: "keep topics in memory; clients of this machine may publish and watch --topic" },
    "allow-anyone": { help: "with --topics: also clients of other machines, and pages of any origin" },
    ...KEEPALIVE_OPTIONS,
    ...FAULT_OPTIONS,
  },
  notes: `WHEN is a number of messages (3) or a time since the connection opened (500ms, 10s). The default port is 8080; 0 picks
a free one. Browsers may connect from any origin, or with --topics from pages of this machine. The URL is printed on
stdout; each client, and why its connection ended, on stderr. Ctrl-C and SIGTERM close all connections with 1001, and
the exit code is 0.

  holdfast serve 8080 --inhibit-pongs       clients should notice, and reconnect
  holdfast serve 8080 --drop-after 10s      simulates a network that loses connections
  holdfast serve 8080 --sessions --drop-after 3     cuts each socket of a session after 3 messages
  holdfast serve 8080 --topics              for watch --topic and publish

To create a certificate for wss:
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem`,
  run: async (given, console) => (await import("./run.js")).serveEcho(given, console),
};
