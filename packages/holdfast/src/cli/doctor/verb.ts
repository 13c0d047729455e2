// The verb `holdfast doctor`: its options and its help.

import { PEER_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";

export const doctorVerb: Verb = {
  name: "doctor",
  summary: "diagnose a connection: what is wrong, and how to fix it",
  operands: "<url>",
  operandCount: [1, 1],
  unit: "s",
  options: {
    idle: { value: "TIME", help: "longest idle time to test (75s), or off" },
    json: { help: "print one JSON object per check" },
    ...PEER_OPTIONS,
  },
  notes: `Times each step to the server, shows what was negotiated, measures latency, and finds out after what time proxies or
firewalls cut an idle connection. For that it holds some connections for up to --idle seconds. Ctrl-C ends this test
early, with the results so far.

  holdfast doctor --idle 120 wss://example.com/feed

Exit code: 0 if no check failed (warnings do not count), 1 otherwise.`,
  run: async (given, console) => (await import("./run.js")).examine(given, console),
};
