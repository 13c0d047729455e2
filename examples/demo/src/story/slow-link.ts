import { eventually } from "holdfast-testkit";
import { duration } from "../terminal/text.js";
import { CLIENT, DISTANCE } from "../timings.js";
import { LatencyView } from "./latency-view.js";
import { MAIN_PATH } from "./stage.js";
import { ensure, type Step } from "./step.js";

/**
 * The delay in one direction, in milliseconds: first noticeable, then so long that a ping becomes overdue.
 */
const SLOW = 75;
const VERY_SLOW = 600;

export const slowLink: Step = {
  title: "The link gets slow",
  plan: `The proxy delays every byte, first a little and then a lot. A slow peer is not dead: a ping that takes far longer than usual (3 times, and at least 1 s) is only reported as "overdue". The verdict comes after pingTimeout: ${duration(CLIENT.pingTimeout)}.`,

  async run(stage) {
    const connection = stage.connection(MAIN_PATH);
    const { farEnd, terminal } = stage;
    const latency = new LatencyView(connection);
    const { suspicious, good } = terminal.style;
    let overdue = 0;
    const stopWatching = connection.on("overdue", ({ elapsed, expected }) => {
      if (++overdue > 1) return;
      stage.tell(
        `overdue: a ping has waited for ${duration(elapsed)}; the limit was ${duration(expected)}.`,
        suspicious,
      );
    });

    await terminal.during(latency.render, async () => {
      await farEnd.order({ type: "delay", milliseconds: SLOW });
      stage.tell(`Every byte now takes ${SLOW} ms each way.`);
      await eventually(() => latency.last >= 2 * SLOW, `a round trip of ${2 * SLOW} ms`);
      const seen = latency.count;
      await eventually(() => latency.count >= seen + 3, "three more pongs");
      stage.tell(`Latency ${duration(latency.last)}: slower, but harmless.`);

      await farEnd.order({ type: "delay", milliseconds: VERY_SLOW });
      stage.tell(`Every byte now takes ${VERY_SLOW} ms each way.`);
      await eventually(() => overdue > 0, "the client to become suspicious");
      await eventually(() => latency.last >= 1_000, "the late pong");
      stage.tell(`The pong came after ${duration(latency.last)}: late, but alive.`);

      await farEnd.order({ type: "delay", milliseconds: DISTANCE });
      stage.tell(`Every byte takes ${DISTANCE} ms each way again.`);
      await eventually(() => latency.last < VERY_SLOW, "the latency to fall");
      stage.tell(`Latency ${duration(latency.last)}: recovered.`, good);
    });
    latency.stop();
    stopWatching();
    stage.add(latency.bars);

    ensure(connection.state === "open", `The connection did not survive: it is ${connection.state}`);
    const worst = Math.max(...latency.samples);
    return {
      sentence: `The ping was reported as overdue, and the connection survived: ${duration(worst)} at the worst, ${duration(latency.last)} now.`,
      figure: `${duration(worst)} at the worst, no verdict`,
    };
  },
};
