import { parseArgs } from "node:util";
import { allPeers } from "./peers/all.js";
import type { Peer } from "./peers/peer.js";
import { positive } from "./program.js";
import type { Workload } from "./workload.js";
import { allWorkloads } from "./workloads/all.js";

export const help = `npm run bench -- [options]

  --quick               under two minutes: holdfast and ws only, one or two short rounds, fewer connections
  --workloads S2,S3     only these (${allWorkloads.map((workload) => workload.id).join(", ")})
  --peers holdfast,ws   only these, and in every workload
                        (${allPeers.map((peer) => peer.name).join(", ")})
  --rounds N            how often each peer takes its turn (default 5, with --quick 2)
  --generator c|node    which load generator (default: the one in C where it can be built)
  --json FILE           every single measurement
  --join A.json,B.json  measure nothing: judge what --json wrote in these runs, as the rounds of one
  --write               write the results to bench/RESULTS.md and bench/results.svg
`;

export interface Options {
  readonly isQuick: boolean;
  readonly workloads: readonly Workload[];
  /** Null: each peer runs the workloads that it runs by default. */
  readonly peers: readonly Peer[] | null;
  readonly rounds: number;
  readonly generator: "c" | "node" | null;
  readonly json: string | null;
  /** Recordings of earlier runs to join, instead of a run. */
  readonly join: readonly string[] | null;
  readonly writesResults: boolean;
}

/** Null if help was requested. @throws Error that names the option, the expected value and the actual one. */
export function readArguments(): Options | null {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      workloads: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string" },
      generator: { type: "string" },
      json: { type: "string" },
      join: { type: "string" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  return {
    isQuick: values.quick,
    workloads: pick("workloads", values.workloads, allWorkloads, (workload) => workload.id) ?? allWorkloads,
    peers: pick("peers", values.peers, allPeers, (peer) => peer.name),
    rounds: values.rounds === undefined ? (values.quick ? 2 : 5) : positive("rounds", values.rounds),
    generator: readGenerator(values.generator),
    json: values.json ?? null,
    join: values.join?.split(",") ?? null,
    writesResults: values.write,
  };
}

function pick<Item>(
  option: string,
  list: string | undefined,
  all: readonly Item[],
  nameOf: (item: Item) => string,
): readonly Item[] | null {
  if (list === undefined) return null;
  const names = list.split(",").map((name) => name.trim().toLowerCase());
  const known = all.map((item) => nameOf(item).toLowerCase());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return all.filter((item) => names.includes(nameOf(item).toLowerCase()));
  throw new Error(
    `Expected \`--${option}\` to name some of ${all.map(nameOf).join(", ")}, got "${unknown}".`,
  );
}

function readGenerator(text: string | undefined): "c" | "node" | null {
  if (text === undefined || text === "c" || text === "node") return text ?? null;
  throw new Error(`Expected \`--generator\` to be c or node, got "${text}".`);
}
