import { busyShare, type Measurement } from "../generators/generator.js";
import type { Stage } from "../plan.js";
import type { Sample } from "../run.js";
import { unitOf } from "../workload.js";
import { judge, type Verdict } from "./judge.js";
import { median, minimum } from "./statistics.js";

/** The results of one peer in one workload, over all rounds. */
export interface Row {
  readonly peer: string;
  readonly perSecond: number | null;
  readonly cost: number | null;
  readonly leastCost: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Base ÷ this peer: the median and the extremes of the ratios within each round. */
  readonly ratio: Ratio | null;
  /**
   * The largest share of an interval's pings within a tenth of a second: the median; null for other loads.
   */
  readonly burst: number | null;
  readonly isGeneratorBound: boolean;
  readonly verdicts: readonly Verdict[];
  readonly failures: readonly string[];
}

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
}

export interface Summary {
  readonly id: string;
  readonly title: string;
  readonly label: string;
  /** The peer that the others are compared with. */
  readonly base: string;
  /** The peer that the first bar is about, for which the workload exists. */
  readonly subject: string;
  readonly unit: { readonly symbol: "µs" | "B"; readonly per: string };
  readonly rows: readonly Row[];
}

export function summarize(stage: Stage, samples: readonly Sample[]): Summary {
  const own = samples.filter((sample) => sample.workload === stage.id);
  const rows = stage.contenders.map(({ peer }) => summarizePeer(stage, own, peer.name));
  const { id, title, label, base } = stage;
  const subject = stage.bars[0]?.peer ?? "holdfast";
  return { id, title, label, base, subject, unit: unitOf(stage.load), rows };
}

function summarizePeer(stage: Stage, samples: readonly Sample[], peer: string): Row {
  const own = samples.filter((sample) => sample.peer === peer);
  const costs = pick(own, "cost");
  const burst = median(pick(own, "burst"));
  const [perSecond, p50, p99] = [
    median(pick(own, "perSecond")),
    median(pick(own, "p50")),
    median(pick(own, "p99")),
  ];
  const { symbol: unit } = unitOf(stage.load);
  const figures = { cost: median(costs), burst, perSecond, p50, p99, unit, base: stage.base };
  const bars = stage.bars.filter((bar) => bar.peer === peer);
  return {
    peer,
    perSecond,
    cost: median(costs),
    leastCost: minimum(costs),
    p50,
    p99,
    ratio: peer === stage.base ? null : ratioBetween(samples, stage.base, peer),
    burst,
    isGeneratorBound: (median(pick(own, "generatorShare")) ?? 0) > busyShare,
    verdicts: bars.map((bar) => judge(bar, figures, (base) => ratioBetween(samples, base, peer))),
    failures: [...new Set(own.flatMap((sample) => sample.failure ?? []))],
  };
}

// Within a round the two ran one right after the other, so that a slowdown of the machine affected both.
function ratioBetween(samples: readonly Sample[], base: string, peer: string): Ratio | null {
  const costOf = (name: string, round: number): number | null =>
    samples.find((sample) => sample.peer === name && sample.round === round)?.measurement?.cost ?? null;
  const rounds = [...new Set(samples.map((sample) => sample.round))];
  const ratios = rounds.flatMap((round) => {
    const [dividend, divisor] = [costOf(base, round), costOf(peer, round)];
    return dividend === null || divisor === null || divisor <= 0 ? [] : [dividend / divisor];
  });
  const middle = median(ratios);
  if (middle === null) return null;
  return { median: middle, least: Math.min(...ratios), most: Math.max(...ratios), rounds: ratios.length };
}

function pick(samples: readonly Sample[], field: keyof Measurement): number[] {
  return samples.flatMap((sample) => sample.measurement?.[field] ?? []);
}
