import assert from "node:assert/strict";
import { test } from "node:test";
import { Compressed, long } from "./compressed.js";
import { follow, ROLES } from "./harness.js";

/** Large enough for a thread. */
const LARGE = 100_000;

for (const role of ROLES) {
  const title = (text: string): string => `E8: our ${role} ${text}`;

  test(title("keeps the order of messages that take different times to compress"), async () => {
    const end = new Compressed(role);
    const { connection } = end.harness;
    const sends = [
      connection.send(long("a", LARGE * 4)),
      connection.send("b".repeat(40)),
      connection.send(long("c", LARGE)),
      connection.send("d", { compress: false }),
      connection.send(long("e", LARGE), { compress: false }),
      connection.send(Buffer.from(long("f", 30_000))),
      connection.send(long("g", LARGE * 2)),
      connection.send("too short"),
      connection.send("a b c d a b c d a b c d"),
    ];
    await end.until(() => connection.bufferedAmount === 0);
    assert.deepEqual(await end.sent(), [
      "deflated text a (400000 bytes)",
      `deflated text ${"b".repeat(40)}`,
      "deflated text c (100000 bytes)",
      "text d",
      "text e (100000 bytes)",
      "deflated binary f (30000 bytes)",
      "deflated text g (200000 bytes)",
      "text too short",
      "deflated text a b c d a b c d a b c d",
    ]);
    await Promise.all(sends);
  });

  test(
    title("compresses from the threshold on, in bytes, where the send does not opt out (RFC 7692 section 6)"),
    async () => {
      const end = new Compressed(role, { tuning: { threshold: 10 } });
      const { connection, clock } = end.harness;
      for (const data of [
        "123456789",
        "1111111111",
        "ééééé",
        "éééé",
        Buffer.alloc(9, 49),
        Buffer.alloc(10, 49),
      ]) {
        void connection.send(data);
        void connection.send(data, { compress: true });
        void connection.send(data, { compress: false });
      }
      clock.turn();
      const thrice = (name: string, isDeflated: boolean) => {
        const deflated = isDeflated ? `deflated ${name}` : name;
        return [deflated, deflated, name];
      };
      assert.deepEqual(await end.sent(), [
        ...thrice("text 123456789", false),
        ...thrice("text 1111111111", true),
        ...thrice("text ééééé", true),
        ...thrice("text éééé", false),
        ...thrice("binary 111111111", false),
        ...thrice("binary 1111111111", true),
      ]);
    },
  );

  test(
    title(
      "sends what was compressed although its send is aborted: what follows refers to it (RFC 7692 section 7.2.1)",
    ),
    async () => {
      const end = new Compressed(role, { capacity: 0, writeLimit: 1 });
      const { connection, transport, clock } = end.harness;
      const aborter = new AbortController();
      const { signal } = aborter;
      void connection.send("filling, filling, filling the kernel");
      clock.turn();
      const compressed = follow(connection.send("Hello, Hello, Hello, world", { signal }));
      const plain = follow(connection.send("withdrawn", { signal, compress: false }));
      const threaded = follow(connection.send(long("threaded", LARGE), { signal }));
      void connection.send("Hello, Hello, Hello, world");
      await end.until(() => connection.bufferedAmount < LARGE);
      const reason = new Error("changed my mind");
      aborter.abort(reason);
      await end.until(() => threaded.outcome.status !== "pending");
      assert.deepEqual(
        [compressed.outcome, plain.outcome, threaded.outcome],
        [
          { status: "fulfilled", value: undefined },
          { status: "rejected", error: reason },
          { status: "fulfilled", value: undefined },
        ],
      );
      transport.setCapacity(Infinity);
      transport.drain();
      await end.until(() => connection.bufferedAmount === 0);
      assert.deepEqual(await end.sent(), [
        "deflated text filling, filling, filling the kernel",
        "deflated text Hello, Hello, Hello, world",
        `deflated text threaded (${LARGE} bytes)`,
        "deflated text Hello, Hello, Hello, world",
      ]);
    },
  );

  test(
    title("takes an aborted message back that compression made no shorter: nothing refers to it"),
    async () => {
      const end = new Compressed(role, { capacity: 0, writeLimit: 1 });
      const { connection, transport, clock } = end.harness;
      void connection.send("filling the kernel");
      clock.turn();
      const aborter = new AbortController();
      const { signal } = aborter;
      const send = follow(connection.send("Hello", { signal }));
      void connection.send("last");
      const reason = new Error("changed my mind");
      aborter.abort(reason);
      await end.until(() => send.outcome.status !== "pending");
      assert.deepEqual(send.outcome, { status: "rejected", error: reason });
      transport.setCapacity(Infinity);
      transport.drain();
      await end.until(() => connection.bufferedAmount === 0);
      assert.deepEqual(await end.sent(), ["text filling the kernel", "text last"]);
    },
  );

  test(title("stops waiting when a send is aborted while its message is being compressed"), async () => {
    const end = new Compressed(role, { capacity: 0, writeLimit: 1 });
    const { connection, clock } = end.harness;
    void connection.send("filling, filling, filling the kernel");
    clock.turn();
    const aborter = new AbortController();
    const send = follow(connection.send(long("a", LARGE), { signal: aborter.signal }));
    aborter.abort();
    await end.until(() => send.outcome.status !== "pending");
    assert.deepEqual(send.outcome, { status: "fulfilled", value: undefined });
    connection.terminate();
    await end.harness.end();
    end.harness.assertGone();
  });

  test(title("sends what is being compressed before its Close (RFC 6455 section 7.1.2)"), async () => {
    const end = new Compressed(role);
    const { connection } = end.harness;
    const sends = [connection.send(long("a", LARGE)), connection.send("b")];
    const closing = connection.close();
    const late = follow(connection.send("late"));
    await end.until(() => connection.bufferedAmount === 0);
    assert.deepEqual(await end.sent(), [`deflated text a (${LARGE} bytes)`, "text b", "close 1000"]);
    await Promise.all(sends);
    end.harness.deliver(end.harness.close(1000));
    end.harness.transport.eof();
    await end.harness.end();
    assert.equal((await closing).clean, true);
    assert.equal(late.outcome.status, "rejected");
    end.harness.assertGone();
  });

  test(
    title("answers a Close that arrives while it compresses, after the message (RFC 6455 section 5.5.1)"),
    async () => {
      const end = new Compressed(role);
      const { connection, transport } = end.harness;
      const send = follow(connection.send(long("a", LARGE)));
      end.harness.deliver(end.harness.close(1000));
      transport.eof();
      await end.until(() => send.outcome.status !== "pending" && connection.bufferedAmount === 0);
      assert.deepEqual(await end.sent(), [`deflated text a (${LARGE} bytes)`, "close 1000"]);
      assert.equal((await end.harness.end()).clean, true);
      end.harness.assertGone();
    },
  );

  test(title("tells a send that was being compressed when the connection was lost"), async () => {
    const end = new Compressed(role);
    const { connection, transport } = end.harness;
    const send = follow(connection.send(long("a", LARGE)));
    const second = follow(connection.send("b"));
    transport.fail("ECONNRESET");
    await end.harness.end();
    await end.until(() => send.outcome.status !== "pending");
    assert(send.outcome.status === "rejected");
    assert.equal((send.outcome.error as Error).name, "ConnectionClosedError");
    assert(second.outcome.status !== "pending");
    end.harness.assertGone();
  });
}
