import { measureClient } from "./client-turn.js";
import { measureCluster } from "./cluster/measure.js";
import type { OtherEnds } from "./generators/choose.js";
import type { Measurement } from "./generators/generator.js";
import type { Cores } from "./machine/cores.js";
import { startRedis } from "./machine/redis.js";
import { startServer, type RunningServer } from "./machine/server.js";
import type { Contender, Stage } from "./plan.js";
import { environmentFor, type ServerLoad } from "./workload.js";

/** One peer's turn in one round of one workload. Exactly one of the last two fields is set. */
export interface Sample {
  readonly workload: string;
  readonly peer: string;
  readonly round: number;
  readonly measurement: Measurement | null;
  readonly failure: string | null;
}

/**
 * Runs the stages. In each round, all peers run each workload one right after the other, so that a ratio
 * compares runs that are close in time. The order of workloads and peers is random, so that no peer always
 * goes first.
 */
export async function run(
  stages: readonly Stage[],
  { generator, farEnd }: OtherEnds,
  cores: Cores,
  tell: (line: string) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const unfit = new Set<Contender>();
  const rounds = Math.max(...stages.map((stage) => stage.rounds));
  for (let round = 0; round < rounds; round++) {
    for (const stage of shuffled(stages.filter((each) => round < each.rounds))) {
      for (const contender of shuffled(stage.contenders.filter((each) => !unfit.has(each)))) {
        const sample = await takeTurn(stage, contender, round);
        samples.push(sample);
        tell(`${round + 1}/${rounds} ${stage.id} ${contender.peer.name}: ${describe(sample)}`);
      }
    }
  }
  return samples;

  async function takeTurn(stage: Stage, contender: Contender, round: number): Promise<Sample> {
    const about = { workload: stage.id, peer: contender.peer.name, round };
    const { load, timing } = stage;
    const { verify } = generator;
    try {
      if (load.kind === "client") {
        const { program } = contender;
        const measurement = await measureClient(load, program, farEnd(load), cores, timing);
        return { ...about, measurement, failure: null };
      }
      if (load.kind === "cluster") {
        const measurement = await measureCluster(load, contender.program, contender.peer.dialect, timing);
        return { ...about, measurement, failure: null };
      }
      // Verify on a separate server, so that it does not warm up the one that is measured. Once is enough.
      if (round === 0 && load.kind === "echo" && verify !== null) {
        await withServer(contender, load, (server) => verify(load, server));
      }
      const measurement = await withServer(contender, load, (server) =>
        generator.measure(load, server, timing),
      );
      return { ...about, measurement, failure: null };
    } catch (error) {
      return { ...about, measurement: null, failure: messageOf(error) };
    }
  }

  async function withServer<Result>(
    contender: Contender,
    load: ServerLoad,
    work: (server: RunningServer) => Promise<Result>,
  ): Promise<Result> {
    const redis = contender.program.needsRedis === true ? await startRedis() : null;
    const environment = {
      ...contender.program.environment,
      ...environmentFor(load),
      ...(redis === null ? {} : { REDIS_PORT: String(redis.port) }),
    };
    const program = { ...contender.program, environment };
    const server = await startServer(program, cores.server).catch(async (error: unknown) => {
      await redis?.stop();
      unfit.add(contender); // it will not start the next time either
      throw new Error(`does not start, skipped: ${messageOf(error)}`, { cause: error });
    });
    try {
      return await work(server);
    } catch (error) {
      throw new Error(`${messageOf(error)} ${server.complaints()}`.trim(), { cause: error });
    } finally {
      await server.stop();
      await redis?.stop();
    }
  }
}

function describe({ measurement, failure }: Sample): string {
  if (measurement === null) return `FAILED: ${failure ?? ""}`;
  const rate = measurement.perSecond === null ? "" : `${Math.round(measurement.perSecond)}/s, `;
  const burst = measurement.burst === null ? "" : `, burst ${(measurement.burst * 100).toFixed(1)} %`;
  return `${rate}cost ${measurement.cost?.toFixed(2) ?? "not measurable here"}${burst}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ item }) => item);
}
