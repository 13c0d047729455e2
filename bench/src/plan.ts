import type { Options } from "./arguments.js";
import type { Timing } from "./generators/generator.js";
import { allPeers } from "./peers/all.js";
import type { Availability, Peer, PeerProgram } from "./peers/peer.js";
import type { Bar, Load, Workload } from "./workload.js";

/** An installed peer with its program for one role. */
export interface Contender {
  readonly peer: Peer;
  readonly program: PeerProgram;
  readonly version: string;
}

/** A workload as this run executes it. */
export interface Stage {
  readonly id: string;
  readonly title: string;
  readonly label: string;
  readonly load: Load;
  readonly rounds: number;
  readonly timing: Timing;
  /** The peer that the others are compared with. */
  readonly base: string;
  readonly bars: readonly Bar[];
  readonly contenders: readonly Contender[];
}

const fullTiming: Timing = { warmup: 1_000, duration: 2_000, settle: 1_000 };
const quickTiming: Timing = { warmup: 300, duration: 500, settle: 300 };

/** Decides what runs, and reports each peer that is not installed. */
export function planStages(options: Options, tell: (line: string) => void): readonly Stage[] {
  const peers = candidates(options);
  const servers = findContenders(peers, (peer) => peer.findServer?.(), tell);
  const clients = findContenders(peers, (peer) => peer.findClient?.(), tell);
  const processes = findContenders(peers, (peer) => peer.findProcess?.(), tell);
  return options.workloads.map((workload): Stage => {
    const { id, label, load, base = "ws" } = workload;
    const able = load.kind === "client" ? clients : load.kind === "cluster" ? processes : servers;
    const contenders = able.filter(({ peer }) => takesPart(peer, workload, options));
    const timing = timingFor(workload, options.isQuick);
    return { id, label, base, ...asItRuns(workload, options), timing, contenders };
  });
}

function asItRuns(
  { title, load, bars, quick }: Workload,
  { rounds, isQuick }: Options,
): Pick<Stage, "title" | "load" | "bars" | "rounds"> {
  if (!isQuick) return { title, load, bars, rounds };
  // Loads with a fixed duration or a long setup are not repeated.
  const quickRounds = load.kind === "echo" ? rounds : 1;
  if (quick === undefined) return { title, load, bars, rounds: quickRounds };
  return { ...quick, bars: [], rounds: quickRounds };
}

// A connection runs through far more code than a message: the code is fully compiled only after some ten
// thousand connections.
function timingFor({ load, timing: own }: Workload, isQuick: boolean): Timing {
  const timing = isQuick ? quickTiming : { ...fullTiming, ...own };
  return load.kind === "handshake" ? { ...timing, warmup: isQuick ? 1_000 : 4_000 } : timing;
}

function candidates(options: Options): readonly Peer[] {
  return options.peers ?? allPeers.filter((peer) => !options.isQuick || peer.isQuick === true);
}

function takesPart(peer: Peer, workload: Workload, options: Options): boolean {
  if (peer.can?.(workload.load) === false) return false;
  if (options.peers !== null) return true;
  return (workload.peers?.includes(peer.name) ?? true) && (peer.takesPart?.(workload) ?? true);
}

function findContenders(
  peers: readonly Peer[],
  find: (peer: Peer) => Availability | undefined,
  tell: (line: string) => void,
): Contender[] {
  return peers.flatMap((peer) => {
    const found = find(peer);
    if (found === undefined) return [];
    if (found.isAvailable) return [{ peer, program: found.program, version: found.version }];
    tell(`SKIPPED ${peer.name}: ${found.reason}`);
    return [];
  });
}
