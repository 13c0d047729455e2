// The verb `holdfast watch`: its options and its help.

import { KEEPALIVE_OPTIONS, PEER_OPTIONS, SESSION_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";

export const watchVerb: Verb = {
  name: "watch",
  summary: "stay connected to a server, and show every event, or the messages of topics",
  operands: "<url>",
  operandCount: [1, 1],
  unit: "ms",
  options: {
    topic: { value: "NAME", isList: true, help: "show the messages of this topic instead; may be repeated" },
    json: { help: "print JSON even on a terminal" },
    full: { help: "show long messages in full on a terminal" },
    ...SESSION_OPTIONS,
    ...KEEPALIVE_OPTIONS,
    ...PEER_OPTIONS,
  },
  notes: `Reconnects with growing delays, until Ctrl-C or an error that a retry cannot change (401, 404, a bad certificate …).
With --session, "session", "detached", "resumed" and "lost" report what becomes of the session.
In a pipe each event is a line of JSON, with the names of docs/events.md:

  holdfast watch wss://example.com/feed | jq -c 'select(.type == "disconnected") | .explanation'

With --topic, stdout gets only "message" (with "topic", "offset", "epoch", and "text" or "base64") and "gap". The
server has to be a Holdfast server that lets clients subscribe, with topics.open(). After a lost connection, each topic
continues from its own position.

  holdfast watch --topic news --topic prices wss://example.com/feed | jq -r .text`,
  run: async (given, console) => (await import("./run.js")).watch(given, console),
};
