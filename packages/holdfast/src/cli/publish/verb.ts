// The verb `holdfast publish`: its options and its help.

import { PEER_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";

export const publishVerb: Verb = {
  name: "publish",
  summary: "publish messages on a topic of a Holdfast server",
  operands: "<url> <topic> [data]",
  operandCount: [2, 3],
  unit: "ms",
  options: {
    id: {
      value: "ID",
      help: "publish once within 2 minutes, however often this runs; lines get ID-1, ID-2 …",
    },
    timeout: { value: "TIME", help: "time limit for the confirmation of each message (10s)" },
    json: { help: "print JSON even on a terminal" },
    ...PEER_OPTIONS,
  },
  notes: `Without [data], each line of stdin is a message (binary if it is not UTF-8). The server decides who may publish, with
topics.open(). Each confirmation is a line on stdout, in the order of the messages; in a pipe it is JSON with "message"
(its number), "topic", "offset" and "epoch" (null without history), and "isDuplicate".

  holdfast publish ws://localhost:8080 news "hello"
  holdfast publish --id import-7 wss://example.com orders < orders.ndjson    safe to run again within 2 minutes

Exit code: 0 all confirmed, 1 refused, or lost with the connection, 2 the command line is invalid, 3 no confirmation in
time, 130 Ctrl-C. After the first failure, no more lines are read.`,
  run: async (given, console) => (await import("./run.js")).publishMessages(given, console),
};
