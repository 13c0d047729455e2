import type { Options } from "./arguments.js";
import type { Timing } from "./generators/generator.js";
import { allPeers } from "./peers/all.js";
import type { Peer, PeerProgram } from "./peers/peer.js";
import type { Bar, Load } from "./workload.js";

/** A peer that is installed. */
export interface Contender {
  readonly peer: Peer;
  readonly program: PeerProgram;
  readonly version: string;
}

/** A workload as this run does it. */
export interface Stage {
  readonly id: string;
  readonly title: string;
  readonly load: Load;
  readonly rounds: number;
  readonly timing: Timing;
  readonly bars: readonly Bar[];
  readonly contenders: readonly Contender[];
}

const fullTiming: Timing = { warmup: 1_000, duration: 2_000, settle: 1_000 };
const quickTiming: Timing = { warmup: 300, duration: 500, settle: 300 };

/** Decides what runs, and tells of each peer that is not installed. */
export function planStages(options: Options, tell: (line: string) => void): readonly Stage[] {
  const contenders = findContenders(candidates(options), tell);
  return options.workloads.map((workload): Stage => {
    const { id, title, load, bars, quick } = workload;
    const { rounds, isQuick } = options;
    const taking = contenders.filter(({ peer }) => takesPart(peer, id, options));
    const stage: Stage = {
      id,
      title,
      load,
      rounds,
      timing: timingFor(load, isQuick),
      bars,
      contenders: taking,
    };
    if (!isQuick || quick === undefined) return stage;
    return { ...stage, ...quick, rounds: Math.min(quick.rounds, rounds), bars: [] };
  });
}

// A connection runs through far more code than a message: it takes longer until that is compiled.
function timingFor(load: Load, isQuick: boolean): Timing {
  if (!isQuick) return fullTiming;
  return load.kind === "handshake" ? { ...quickTiming, warmup: 1_000 } : quickTiming;
}

function candidates(options: Options): readonly Peer[] {
  return options.peers ?? allPeers.filter((peer) => !(options.isQuick && peer.isSlow === true));
}

function takesPart(peer: Peer, workload: string, options: Options): boolean {
  return options.peers !== null || (peer.workloads?.includes(workload) ?? true);
}

function findContenders(peers: readonly Peer[], tell: (line: string) => void): Contender[] {
  return peers.flatMap((peer) => {
    const found = peer.find();
    if (found.isAvailable) return [{ peer, program: found.program, version: found.version }];
    tell(`SKIPPED ${peer.name}: ${found.reason}`);
    return [];
  });
}
