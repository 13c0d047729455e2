import type { Connection } from "holdfast";
import { blockEventLoop, eventually } from "holdfast-testkit";
import { duration } from "../terminal/text.js";
import { CLIENT, SERVER } from "../timings.js";
import { LatencyView } from "./latency-view.js";
import { MAIN_PATH } from "./stage.js";
import { ensure, type Step } from "./step.js";

/** Longer than the client's pingTimeout, and shorter than the server's. */
const BLOCK = 3_000;

export const blockedLoop: Step = {
  title: "The client's own event loop is blocked",
  plan: `A long computation keeps this process from reading for ${duration(BLOCK)}, longer than its pingTimeout. Meanwhile the server, in its own thread, answers: its pong is in the kernel, unread. The peer is not at fault, so the connection must survive.`,

  async run(stage) {
    const connection = stage.connection(MAIN_PATH);
    const { good, suspicious } = stage.terminal.style;
    const latency = new LatencyView(connection);
    let longestGap = 0;
    const stopWatching = connection.on("suspended", ({ gap }) => (longestGap = Math.max(longestGap, gap)));
    let serverWaited = 0;
    stage.farEnd.onOverdue = (_path, elapsed) => (serverWaited = elapsed);
    let hasRecipeFired = false as boolean; // The timer sets it.
    const stopRecipe = usualRecipe(connection, CLIENT.pingTimeout, () => (hasRecipeFired = true));

    const isPingOnItsWay = (): boolean => connection.latencyStats.sent > connection.latencyStats.answered;
    await eventually(isPingOnItsWay, "a ping on its way");
    stage.tell(`A ping is in flight; now nothing here runs for ${duration(BLOCK)} …`);
    if (stage.sabotage !== "block") blockEventLoop(BLOCK);

    await eventually(() => longestGap > 0, "the gap to be reported");
    stage.tell(
      `suspended: a gap of ${duration(longestGap)}, counted from when the next ping was due.`,
      suspicious,
    );
    ensure(longestGap > CLIENT.pingTimeout, `The gap, ${duration(longestGap)}, is shorter than pingTimeout`);
    await eventually(() => latency.samples.some((sample) => sample >= BLOCK), "the pong from before");
    stage.tell(`The pong was in the kernel all the time. It is read now, ${duration(BLOCK)} late.`);
    if (hasRecipeFired) {
      stage.add(
        "The usual recipe, a timer that each pong sets back, ran beside, and fired: it would have cut this healthy connection.",
      );
    }
    const read = latency.count;
    await eventually(() => latency.count >= read + 2, "two more pongs");
    await connection.send("still there?");
    const answer = await connection.recv({ timeout: 10_000 });
    ensure(answer === "still there?", "The server sent another text back");
    if (serverWaited > 0) {
      stage.add(
        `One of the server's pings was overdue. The server waited: its pingTimeout is ${duration(SERVER.pingTimeout)}.`,
      );
    }
    stage.tell(`The connection is ${connection.state}, and its latency ${duration(latency.last)}.`, good);

    for (const stop of [latency.stop, stopWatching, stopRecipe]) stop();
    ensure(connection.state === "open", `The connection did not survive: it is ${connection.state}`);
    return {
      sentence: `The connection survived ${duration(longestGap)} without this process, and the peer was not blamed: the latency is still ${duration(connection.latency ?? 0)}.`,
      figure: `survived a gap of ${duration(longestGap)}`,
    };
  },
};

/** The common alternative: a timer that each pong restarts; when it fires, the peer counts as dead. */
function usualRecipe(connection: Connection, patience: number, onVerdict: () => void): () => void {
  let timer = setTimeout(onVerdict, patience);
  const stopListening = connection.on("pong", () => {
    clearTimeout(timer);
    timer = setTimeout(onVerdict, patience);
  });
  return () => {
    stopListening();
    clearTimeout(timer);
  };
}
