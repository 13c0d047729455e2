// The verb `holdfast ping`: its options and its help.

import { PEER_OPTIONS, SESSION_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";

export const pingVerb: Verb = {
  name: "ping",
  summary: "measure the round trip to a server with WebSocket pings",
  operands: "<url>",
  operandCount: [1, 1],
  unit: "s",
  options: {
    count: { short: "c", value: "N", help: "stop after this many pings (default: on Ctrl-C)" },
    interval: { short: "i", value: "TIME", help: "time between pings (1s)" },
    timeout: {
      short: "W",
      value: "TIME",
      help: "time to wait for a pong; a later one counts as lost (5s)",
    },
    quiet: { short: "q", help: "print only the summary" },
    json: { help: "print one JSON object per line" },
    ...SESSION_OPTIONS,
    ...PEER_OPTIONS,
  },
  notes: `Sends Ping frames (RFC 6455 section 5.5.2), which every server answers without involving the application. When the
connection is lost, it reconnects and continues; pings without a connection count as lost. Ctrl-C prints the summary.

  holdfast ping -c 10 -i 0.2 wss://example.com/feed

Exit code: 0 at least one answered, 1 none answered, 2 no connection, or the server refused to reconnect.`,
  run: async (given, console) => (await import("./run.js")).ping(given, console),
};
