import assert from "node:assert/strict";
import { test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import { Compressed, long, type CompressedSetup } from "./compressed.js";
import { follow, ROLES, summary } from "./harness.js";

/** Large enough for a thread; the limit must allow it. */
const LARGE = 1_200_000;
const ROOMY: CompressedSetup = {
  maxMessageSize: 16 * 1024 * 1024,
  maxQueue: 32 * 1024 * 1024,
  tuning: { level: 1 },
};

/** Records the received messages, shortened, and the end of the connection. */
function reading({ harness: { connection } }: Compressed): readonly string[] {
  const words: string[] = [];
  connection.on("ping", ({ payload }) => words.push(`ping ${Buffer.from(payload).toString()}`));
  void connection
    .forEach((message) => {
      words.push(typeof message === "string" ? shortened(message) : `${message.length} bytes`);
    })
    .catch(() => undefined);
  return words;
}

const shortened = (text: string): string =>
  text.length <= 40 ? text : `${text.split(" ", 1)[0]} (${text.length} characters)`;

for (const role of ROLES) {
  const title = (text: string): string => `E8: our ${role} ${text}`;

  test(title("delivers data after a message in a thread after it, and then answers its pings"), async () => {
    const end = new Compressed(role, ROOMY);
    const { harness } = end;
    const words = reading(end);
    harness.deliver(
      await end.text("first"),
      await end.text(long("a", LARGE)),
      await end.text("b"),
      harness.ping("in the same chunk"),
      harness.text("plain"),
    );
    assert.deepEqual([[...words], harness.transport.isPaused], [["first"], true]);
    harness.deliver(harness.ping("later"), await end.text(long("c", LARGE)), await end.text("d"));
    await end.until(() => words.at(-1) === "d");
    assert.deepEqual(words, [
      "first",
      `a (${LARGE} characters)`,
      "b",
      "ping in the same chunk",
      "plain",
      "ping later",
      `c (${LARGE} characters)`,
      "d",
    ]);
    assert.deepEqual(await end.sent(), ["pong in the same chunk", "pong later"]);
    assert.equal(harness.transport.isPaused, false);
  });

  test(
    title("answers a Close that arrived after a message in a thread (RFC 6455 section 5.5.1)"),
    async () => {
      const end = new Compressed(role, ROOMY);
      const { harness } = end;
      const words = reading(end);
      harness.deliver(await end.text(long("a", LARGE)), await end.text("b"), harness.close(1000));
      harness.transport.eof();
      await end.until(() => harness.transport.isClosed);
      assert.deepEqual(words, [`a (${LARGE} characters)`, "b"]);
      assert.deepEqual(await end.sent(), ["close 1000"]);
      assert.equal((await harness.end()).clean, true);
      harness.assertGone();
    },
  );

  for (const [name, lose] of [
    ["FIN", (end: Compressed) => end.harness.transport.eof()],
    ["RST", (end: Compressed) => end.harness.transport.fail("ECONNRESET")],
  ] as const) {
    test(
      title(`tells a message in a thread, and what came behind it, although a ${name} follows`),
      async () => {
        const end = new Compressed(role, ROOMY);
        const { harness } = end;
        const words = reading(end);
        harness.deliver(
          await end.text(long("a", LARGE)),
          await end.text("b"),
          await end.text(long("c", LARGE)),
        );
        lose(end);
        await end.until(() => harness.ends.length > 0);
        assert.deepEqual(words, [`a (${LARGE} characters)`, "b", `c (${LARGE} characters)`]);
        assert.equal((await harness.end()).cause, name === "FIN" ? "eof" : "reset");
        harness.assertGone();
      },
    );
  }

  test(title("is terminated at once while a message is in a thread, and reports nothing more"), async () => {
    const end = new Compressed(role, ROOMY);
    const { harness } = end;
    const words = reading(end);
    const frames = [await end.text(long("a", LARGE)), await end.text("b")];
    harness.deliver(...frames);
    const next = follow(harness.connection.closed);
    harness.connection.terminate();
    await harness.end();
    harness.assertGone();
    assert.equal(next.outcome.status, "fulfilled");
    // More data than the thread needs time for: another end decodes the same.
    const other = new Compressed(role, ROOMY);
    const otherWords = reading(other);
    other.harness.deliver(...frames);
    await other.until(() => otherWords.length === 2);
    assert.deepEqual(words, []);
    harness.assertGone();
  });

  test(
    title("closes while a message is in a thread: the message is delivered, the handshake completes"),
    async () => {
      const end = new Compressed(role, ROOMY);
      const { harness } = end;
      const words = reading(end);
      harness.deliver(await end.text(long("a", LARGE)));
      void harness.connection.close();
      harness.clock.turn();
      assert.deepEqual(await end.sent(), ["close 1000"]);
      harness.deliver(await end.text("b"), harness.close(1000));
      harness.transport.eof();
      await end.until(() => harness.ends.length > 0);
      assert.deepEqual(words, [`a (${LARGE} characters)`, "b"]);
      assert.equal((await harness.end()).clean, true);
      harness.assertGone();
    },
  );

  test(title("goes by the close timeout even while a message is in a thread"), async () => {
    const end = new Compressed(role, { ...ROOMY, closeTimeout: 1000 });
    const { harness } = end;
    const words = reading(end);
    harness.deliver(await end.text(long("a", LARGE)));
    void harness.connection.close();
    harness.clock.advance(1001);
    const info = await harness.end();
    assert.deepEqual([info.cause, info.clean, words], ["close-timeout", false, []]);
    harness.assertGone();
  });

  test(
    title("holds no message in a thread against its peer: no verdict while it does not read (C7)"),
    async () => {
      const end = new Compressed(role, { ...ROOMY, pingInterval: 1000, pingTimeout: 1000 });
      const { harness } = end;
      const words = reading(end);
      harness.deliver(await end.text(long("a", LARGE)));
      for (let second = 0; second < 10; second++) harness.clock.advance(1000);
      assert.equal(harness.connection.state, "open");
      await end.until(() => words.length === 1);
      assert.equal(harness.transport.isPaused, false);
      harness.connection.terminate();
      await harness.end();
    },
  );

  test(title("pauses for a slow consumer of compressed messages, and loses none (E4)"), async () => {
    const end = new Compressed(role, { ...ROOMY, maxQueue: 2_000_000 });
    const { connection, transport } = end.harness;
    const sizes = [...Array<number>(10).fill(100_000), LARGE, ...Array<number>(40).fill(100_000), LARGE, 10];
    const texts = sizes.map((size, index) => long(`message-${index}`, size));
    for (const text of texts) end.harness.deliver(await end.text(text));
    let pauses = 0;
    connection.on("paused", () => pauses++);
    for (const expected of texts) {
      const next = follow(connection.recv());
      await end.until(() => next.outcome.status !== "pending");
      assert(next.outcome.status === "fulfilled" && next.outcome.value === expected, expected.slice(0, 20));
    }
    assert.deepEqual([transport.isPaused, pauses > 1], [false, true]);
  });

  test(title("fails with 1007 for what a thread cannot decode, and reads on to the Close"), async () => {
    const end = new Compressed(role, ROOMY);
    const { harness } = end;
    const words = reading(end);
    const payload = Buffer.alloc(400_000, 0xff);
    harness.deliver(harness.frame({ opcode: OPCODE.binary, rsv: 4, payload }), harness.text("ignored"));
    await end.until(() => harness.connection.state !== "open");
    assert.deepEqual([await end.sent(), words], [["close 1007"], []]);
    harness.deliver(harness.close(1007));
    harness.transport.eof();
    const { received, sent, cause } = summary(await harness.end());
    const reason = "Expected compressed data (RFC 1951) of whole blocks, got other bytes";
    assert.deepEqual(
      { received, sent, cause },
      { received: { code: 1007, reason: "" }, sent: { code: 1007, reason }, cause: "invalid-data" },
    );
    harness.assertGone();
  });
}
