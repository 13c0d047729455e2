// The peer closes while `onOpen` runs, or while the session's answer is awaited.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectionClosedError, TooSlowError } from "../../build/connection/errors.js";
import { SessionPair } from "../transport/session/session-pair.js";
import { PersistentHarness, type Options } from "./persistent-harness.js";
import { close, text, withResolvers } from "./scripted-connector.js";

/** A persistent connection whose peer sends a message and a Close while `onOpen` runs. */
async function closeWhile(
  onOpen: NonNullable<Options["onOpen"]>,
): Promise<{ harness: PersistentHarness; ends: Error[] }> {
  const harness = new PersistentHarness({ onOpen, openTimeout: 1_000, closeTimeout: 10_000 });
  const ends: Error[] = [];
  harness.link.on("disconnected", ({ error }) => ends.push(error));
  await harness.open();
  harness.attempt.deliver(text("last words"), close(4401));
  await harness.clock.settle();
  return { harness, ends };
}

describe("A Close while a persistent connection is being prepared", () => {
  for (const outcome of ["fulfils", "rejects"]) {
    test(`D10 F9: it is answered once \`onOpen\` ${outcome}, and the messages before it are not lost`, async () => {
      const { promise, resolve, reject } = withResolvers<undefined>();
      const { harness, ends } = await closeWhile(() => promise);
      const { transport } = harness.attempt;
      await harness.clock.advanceAsync(300);
      const before = transport.taken.length;
      if (outcome === "fulfils") resolve(undefined);
      else reject(new Error("too late"));
      await harness.clock.settle();
      assert(transport.taken.length > before, "answered");
      transport.eof();
      await harness.clock.settle();
      const [end] = ends;
      assert(end instanceof ConnectionClosedError && end.info.code === 4401);
      if (outcome === "fulfils") assert.equal(await harness.link.recv(), "last words");
      await harness.finish();
    });
  }

  test("D10 F9: `onOpen` itself may take the message, and settles later than its Close", async () => {
    const taken: unknown[] = [];
    const { harness } = await closeWhile(async (connection) => {
      await Promise.resolve();
      for await (const message of connection) taken.push(message);
    });
    harness.attempt.transport.eof();
    await harness.clock.settle();
    assert.deepEqual(taken, ["last words"]);
    await harness.finish();
  });

  test("F9: `openTimeout` limits `onOpen` also after a Close", async () => {
    const { harness, ends } = await closeWhile(() => new Promise(() => undefined));
    await harness.clock.advanceAsync(999);
    assert.equal(ends.length, 0);
    await harness.clock.advanceAsync(1);
    assert(ends.at(0) instanceof TooSlowError);
    await harness.finish();
  });

  test("D10: a Close in place of the session's answer is answered at once", async () => {
    const owner = (): never => {
      throw new Error("The database is down.");
    };
    await using pair = await SessionPair.begin({ server: { sessions: { owner }, logger: null } });
    const begin = performance.now();
    const code = await new Promise<number>((resolve) =>
      pair.client.on("disconnected", ({ info }) => resolve(info.code)),
    );
    assert.equal(code, 1011);
    assert(performance.now() - begin < 4_000); // Half of `closeTimeout` is 5 s.
  });
});
