import { withTimeout } from "holdfast-testkit";
import { duration } from "../terminal/text.js";
import { BARE_PATH } from "./stage.js";
import { ensure, type Step } from "./step.js";

export const newConnection: Step = {
  title: "The network returns: a new connection, and a clean close",
  plan: "The proxy thaws and forwards the delayed bytes. Only now does the bare client learn that its connection has ended. A new connection is opened, used and closed properly: both sides send a Close, and both know that.",

  async run(stage) {
    const { farEnd } = stage;
    const { good } = stage.terminal.style;
    const bare = stage.connection(BARE_PATH);
    // Thaw this direction first, so that the bare client receives the server's Close before its own pongs
    // reach the closed socket.
    await farEnd.order({ type: "thaw", direction: "toClient" });
    const { message } = await withTimeout(bare.closed, 30_000, "the bare client to hear of its end");
    stage.tell("The bare client receives what the server sent long ago:");
    stage.quote(message);
    await farEnd.order({ type: "thaw" });

    const start = performance.now();
    const connection = await stage.connect("/again");
    stage.tell(`Connected again, in ${duration(performance.now() - start)}.`);
    await connection.send("Hello again");
    ensure(
      (await connection.recv({ timeout: 10_000 })) === "Hello again",
      "The server sent another text back",
    );
    stage.tell('Text: "Hello again" came back.');

    const info = await withTimeout(connection.close(1000, "That was all"), 30_000, "the goodbye");
    const ending = await withTimeout(farEnd.ending("/again"), 30_000, "the server's side of the goodbye");
    stage.tell("The client's view of the close:", good);
    stage.quote(info.message);
    stage.tell("The server's view:", good);
    stage.quote(ending.message);

    ensure(info.clean && info.ok && info.cause === "local-close", `The close was not clean: ${info.cause}`);
    ensure(ending.isOk && ending.cause === "peer-close", `The server reported another end: ${ending.cause}`);
    return { sentence: "Both sides agree on how it ended, and why.", figure: "closed with 1000 (OK)" };
  },
};
