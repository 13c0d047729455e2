import { randomBytes } from "node:crypto";
import { eventually } from "holdfast-testkit";
import { duration } from "../terminal/text.js";
import { DISTANCE } from "../timings.js";
import { LatencyView } from "./latency-view.js";
import { MAIN_PATH } from "./stage.js";
import { ensure, type Step } from "./step.js";

const GREETING = "Grüße aus dem Terminal";
const BINARY_SIZE = 64 * 1024;

/** The number of round trips to watch. */
const PONGS = 10;

export const messages: Step = {
  title: "Messages, and how long they take",
  plan: `The client connects through the proxy, which adds ${2 * DISTANCE} ms to each round trip. The server echoes every message. Both ends ping automatically, and every pong is a measurement.`,

  async run(stage) {
    const connection = await stage.connect(MAIN_PATH);
    const latency = new LatencyView(connection);
    stage.tell(`Connected: ${connection.url}`);

    const textTook = await timed(async () => {
      await connection.send(GREETING);
      ensure((await connection.recv({ timeout: 10_000 })) === GREETING, "The server sent another text back");
    });
    stage.tell(`Text: "${GREETING}" came back after ${duration(textTook)}.`);

    const bytes = randomBytes(BINARY_SIZE);
    const bytesTook = await timed(async () => {
      await connection.send(bytes);
      const answer = await connection.recv({ timeout: 10_000 });
      ensure(typeof answer !== "string" && bytes.equals(answer), "The server sent other bytes back");
    });
    stage.tell(`Binary: ${BINARY_SIZE / 1024} KB came back, byte for byte, after ${duration(bytesTook)}.`);

    stage.tell(`await connection.ping() = ${duration(await connection.ping())}`);

    await stage.terminal.during(latency.render, () =>
      eventually(() => latency.count >= PONGS, `${PONGS} pongs`),
    );
    latency.stop();
    stage.tell(`${latency.count} pongs so far: ${latency.bars}`);

    const { p50, jitter, answered, min } = connection.latencyStats;
    // The proxy delays every byte by this much, so a shorter time would be a wrong measurement.
    ensure((min ?? 0) >= 2 * DISTANCE - 1, `The latency, ${min} ms, is shorter than the proxy's delay`);
    return {
      sentence: `Every echo equals its message; ${answered} pings were answered, with a median of ${duration(p50 ?? 0)} and a jitter of ${duration(jitter ?? 0)}.`,
      figure: `latency ${duration(p50 ?? 0)}`,
    };
  },
};

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
