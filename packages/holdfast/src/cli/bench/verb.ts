// The verb `holdfast bench`: its options and its help.

import { PEER_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";
import { PLAN_OPTIONS } from "./plan.js";

export const benchVerb: Verb = {
  name: "bench",
  summary: "load-test an echo server: messages per second, latency, connects",
  operands: "<url>",
  operandCount: [1, 1],
  unit: "s",
  options: {
    ...PLAN_OPTIONS,
    json: { help: "print one JSON object per line: progress and the summary" },
    ...PEER_OPTIONS,
  },
  notes: `Without --rate each echo triggers the next message, so a slow server gets fewer messages. With --rate messages are due
at fixed times, and latency counts from those: a stall counts against all messages that it delays. Each echo is
compared with the sent message. Ctrl-C ends early, with the summary.

  holdfast bench -c 100 -d 10 ws://localhost:8080
  holdfast bench --rate 5000 -d 30 --json wss://example.com/echo | tail -n 1

Load only your own servers. Exit code: 0 all echoes were correct, 1 an error occurred, 3 echoes were late.`,
  run: async (given, console) => (await import("./run.js")).bench(given, console),
};
