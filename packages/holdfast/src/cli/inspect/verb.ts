// The verb `holdfast inspect`: its options and its help.

import { SELECTIONS, SORT_KEYS } from "../../server/inspect/wire.js";
import { PEER_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";

export const inspectVerb: Verb = {
  name: "inspect",
  summary: "look at the connections of a running server",
  operands: "<url>",
  operandCount: [1, 1],
  unit: "ms",
  options: {
    json: { help: "print each snapshot as a line of JSON, even on a terminal" },
    count: { value: "N", help: "end after N snapshots" },
    sort: { value: "COLUMN", help: `sort by ${SORT_KEYS.join(", ")} (trouble)` },
    ascending: { help: "sort from the smallest value" },
    only: { value: "WHICH", help: `show ${SELECTIONS.join(", ")} (all)` },
    filter: {
      value: "TEXT",
      help: "show connections whose address, path, id, session or topic contains this",
    },
    endings: { help: "show the newest endings" },
    limit: { value: "N", help: "show N rows, up to 100 (as many as fit, or 100)" },
    ...PEER_OPTIONS,
  },
  notes: `The server needs an inspector: inspect(server, { authorize }) in its program (docs/inspector.md). Without a path,
the URL means its default path, /holdfast. Keys: s sorts by the next column, r reverses, e shows endings or connections,
t shows only connections in trouble, n and p turn the page, q quits.

  holdfast inspect -H 'Authorization: Bearer …' wss://example.com
  holdfast inspect --json --count 1 ws://localhost:8080 | jq .processes[0].totals`,
  run: async (given, console) => (await import("./run.js")).inspect(given, console),
};
