import { type CloseCause, explain } from "holdfast";
import { withTimeout } from "holdfast-testkit";
import { clock, duration } from "../terminal/text.js";
import { CLIENT, SERVER, TOLERANCE, verdictBound } from "../timings.js";
import { BARE_PATH, MAIN_PATH } from "./stage.js";
import { ensure, type Step } from "./step.js";

export const frozenLink: Step = {
  title: "The link freezes silently",
  plan: `A cable is pulled: no FIN, no RST, no error. The client promises a verdict within ${duration(verdictBound(CLIENT))} (pingInterval + pingTimeout), the server within ${duration(verdictBound(SERVER))}. For comparison, a bare client without keepalive (pingInterval: null) behaves like a plain WebSocket.`,

  async run(stage) {
    const { farEnd, terminal } = stage;
    const { good, suspicious } = terminal.style;
    const main = stage.connection(MAIN_PATH);
    const bare = await stage.connect(BARE_PATH, { pingInterval: null });
    const frozenAt = await farEnd.order({ type: "freeze" });
    stage.tell("The proxy forwards nothing any more, in either direction.");
    let isSuspicious = false;
    main.on("overdue", ({ elapsed }) => {
      if (!isSuspicious) stage.tell(`overdue: a ping has waited for ${duration(elapsed)}.`, suspicious);
      isSuspicious = true;
    });

    const render = (): string =>
      `            silent for ${clock(Date.now() - frozenAt)} s; Holdfast: ${main.state}, bare client: ${bare.state}`;
    return terminal.during(render, async () => {
      const info = await within(CLIENT, main.closed, "the client's verdict");
      const verdict = info.evidence.endedAt - frozenAt;
      stage.tell(`The client's verdict, after ${duration(verdict)}:`, good);
      stage.quote(info.message);
      stage.add("Its explain(info):");
      stage.quote(explain(info));
      check(info.cause, verdict, CLIENT);

      // The kernel accepts it into its buffer, but it will never arrive.
      await withTimeout(bare.send("Is anybody there?"), 30_000, "the bare client's send()");
      stage.tell(
        `The bare client says "${bare.state}", and send() has just accepted a message that nobody will receive.`,
      );

      const ending = await within(SERVER, farEnd.ending(MAIN_PATH), "the server's verdict");
      const serverVerdict = ending.endedAt - frozenAt;
      stage.tell(`The server's verdict, after ${duration(serverVerdict)}:`, good);
      stage.quote(ending.message);
      stage.add("Its explain(info):");
      stage.quote(ending.explanation);
      check(ending.cause, serverVerdict, SERVER);

      await within(SERVER, farEnd.ending(BARE_PATH), "the server's verdict on the bare client");
      stage.tell(`The server has disconnected the bare client too. The client still says "${bare.state}".`);
      ensure(bare.state === "open", `The bare client is ${bare.state}, so it noticed something`);
      return {
        sentence: `Both ends detected it in time: the client after ${duration(verdict)} of ${duration(verdictBound(CLIENT))}, the server after ${duration(serverVerdict)} of ${duration(verdictBound(SERVER))}. The bare client has not noticed yet.`,
        figure: `dead after ${duration(verdict)}`,
      };
    });
  },
};

type Keepalive = Parameters<typeof verdictBound>[0];

function within<Result>(keepalive: Keepalive, promise: Promise<Result>, what: string): Promise<Result> {
  return withTimeout(promise, verdictBound(keepalive) + TOLERANCE, what);
}

function check(cause: CloseCause, verdict: number, keepalive: Keepalive): void {
  ensure(cause === "heartbeat-timeout", `The connection ended for another cause: ${cause}`);
  const bound = verdictBound(keepalive);
  ensure(
    verdict <= bound + TOLERANCE,
    `The verdict came after ${duration(verdict)}, and not ${duration(bound)}`,
  );
}
