import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TooSlowError } from "../../../build/connection/errors.js";
import { follow, Harness, ROLES } from "../harness.js";
import { usedMemory } from "../memory.js";

describe("Connection.ping()", () => {
  for (const role of ROLES) {
    test(`C3: a ${role}'s round trip lasts from passing the bytes to the socket to reading the answer`, async () => {
      const h = new Harness({ role });
      h.transport.setCapacity(0);
      await h.connection.send("first");
      h.clock.turn();
      const ping = follow(h.connection.ping("x"));
      h.clock.advance(1000); // The ping waits for a full socket, which does not count as the peer's time.
      h.transport.drain();
      h.clock.advance(30);
      h.deliver(h.pong("x"));
      await h.clock.settle();
      assert.deepEqual(h.sent(), ["TEXT first", "PING x"]);
      assert.deepEqual(ping.outcome, { status: "fulfilled", value: 30 });
      assert.equal(h.connection.latency, 30);
    });
  }

  test("C3: a pong answers its ping and every older one, each with its own time; only its own is a sample", async () => {
    const h = new Harness();
    const pongs: object[] = [];
    h.connection.on("pong", ({ payload, roundTrip }) => {
      pongs.push({ payload: Buffer.from(payload).toString(), roundTrip });
    });
    const first = follow(h.connection.ping("1"));
    h.clock.advance(10);
    const second = follow(h.connection.ping("2"));
    h.clock.advance(10);
    const third = follow(h.connection.ping("3"));
    h.clock.advance(10);
    h.deliver(h.pong("2"));
    await h.clock.settle();
    assert.deepEqual(
      [first.outcome, second.outcome, third.outcome],
      [{ status: "fulfilled", value: 30 }, { status: "fulfilled", value: 20 }, { status: "pending" }],
    );
    h.deliver(h.pong("1"), h.pong("stranger"), h.pong(""));
    assert.deepEqual(pongs, [
      { payload: "2", roundTrip: 20 },
      { payload: "1", roundTrip: null },
      { payload: "stranger", roundTrip: null },
      { payload: "", roundTrip: null },
    ]);
    const { last, mean, sent, answered, lost } = h.connection.latencyStats;
    assert.deepEqual(
      { last, mean, sent, answered, lost },
      { last: 20, mean: 20, sent: 3, answered: 2, lost: 0 },
    );
    h.deliver(h.pong("3"));
    await h.clock.settle();
    assert.deepEqual(third.outcome, { status: "fulfilled", value: 10 });
  });

  test("C2: a payload in flight is refused and the first ping unaffected; after its end it can be used again", async () => {
    const h = new Harness();
    const first = follow(h.connection.ping("same"));
    await assert.rejects(h.connection.ping(Buffer.from("same")), {
      name: "ConcurrencyError",
      code: "ERR_HOLDFAST_CONCURRENCY",
      message:
        "Expected a payload that no ping in flight has, as its pong could answer either, got one. Choose another.",
    });
    h.clock.advance(5);
    h.deliver(h.pong("same"));
    await h.clock.settle();
    assert.deepEqual(first.outcome, { status: "fulfilled", value: 5 });

    const aborter = new AbortController();
    const second = follow(h.connection.ping("same", { signal: aborter.signal }));
    aborter.abort(new Error("enough"));
    const third = follow(h.connection.ping("same"));
    h.clock.advance(7);
    h.deliver(h.pong("same"));
    await h.clock.settle();
    assert.deepEqual(second.outcome, { status: "rejected", error: new Error("enough") });
    assert.deepEqual(third.outcome, { status: "fulfilled", value: 7 });
    assert.deepEqual(h.sent(), ["PING same", "PING same"]);
  });

  test("C2: a payload over 125 bytes, or of another type, is refused and leaves nothing behind", async () => {
    const h = new Harness();
    await assert.rejects(h.connection.ping("é".repeat(63)), {
      name: "InvalidArgumentError",
      message: "Expected `payload` to be at most 125 bytes (RFC 6455 section 5.5), got 126.",
    });
    // @ts-expect-error Callers without types may pass anything.
    await assert.rejects(h.connection.ping(5), {
      name: "InvalidArgumentError",
      message: "Expected `payload` to be a string or bytes, got 5 (number).",
    });
    await h.clock.settle();
    assert.deepEqual(h.sent(), []);
    assert.equal(h.connection.state, "open");
    h.connection.terminate();
    const { evidence } = await h.end();
    assert.deepEqual([evidence.pingsInFlight, evidence.lastPingAt], [0, null]);
  });

  test("C2: payloads of our own are eight random bytes or more, and never the same twice", () => {
    const h = new Harness({ role: "server" });
    for (let count = 0; count < 1000; count++) void h.connection.ping();
    h.clock.turn();
    const payloads = h.sentFrames().map(({ payload }) => Buffer.from(payload).toString("hex"));
    assert.equal(new Set(payloads).size, 1000);
    assert.deepEqual([...new Set(payloads.map((payload) => payload.length))], [16]);
  });

  test("C2: later changes of the payload do not affect the ping", () => {
    const h = new Harness();
    const memory = Buffer.from("..payload..");
    void h.connection.ping(memory.subarray(2, 9));
    memory.fill("!");
    h.clock.turn();
    assert.deepEqual(h.sent(), ["PING payload"]);
  });

  test("C3: a ping that is not answered within its timeout is a TooSlowError, and leaves nothing behind", async () => {
    const h = new Harness();
    const ping = follow(h.connection.ping("x", { timeout: 500 }));
    await h.clock.advanceAsync(499);
    assert.deepEqual(ping.outcome, { status: "pending" });
    await h.clock.advanceAsync(1);
    assert(ping.outcome.status === "rejected" && ping.outcome.error instanceof TooSlowError);
    const { name, code, message, timeout } = ping.outcome.error;
    assert.deepEqual(
      { name, code, message, timeout },
      {
        name: "TooSlowError",
        code: "ERR_HOLDFAST_TOO_SLOW",
        message: "Expected the pong of a ping within 500 ms, got none. The connection is still open.",
        timeout: 500,
      },
    );
    assert.equal(h.connection.state, "open");
    assert.equal(h.runtime.timers.size, 0);
    void h.connection.ping("x", { timeout: 500 }); // A rejection that nobody handles must not end the process.
    await h.clock.advanceAsync(500);
  });

  test("C3: a ping whose timeout passes before the socket took it is not sent any more", async () => {
    const h = new Harness({ capacity: 0 });
    await h.connection.send("first");
    h.clock.turn();
    const ping = follow(h.connection.ping("x", { timeout: 500 }));
    await h.clock.advanceAsync(500);
    assert.equal(ping.outcome.status, "rejected");
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    await h.clock.settle();
    assert.deepEqual(h.sent(), ["TEXT first"]);
  });

  test("C3: an invalid timeout is rejected, and nothing is sent", async () => {
    const h = new Harness();
    await assert.rejects(h.connection.ping("x", { timeout: 0 }), {
      name: "InvalidArgumentError",
      message:
        "Expected `timeout` to be a positive number of milliseconds (at most 2147483647) or null, got 0 (number).",
    });
    assert.deepEqual(h.sent(), []);
  });

  const endings: Readonly<Record<string, (h: Harness) => void>> = {
    FIN: (h) => h.transport.eof(),
    RST: (h) => h.transport.fail(),
    "terminate()": (h) => h.connection.terminate(),
    "a broken frame": (h) => {
      h.deliver(h.frame({ opcode: 3 }));
      h.transport.eof();
    },
    "the peer's Close": (h) => {
      h.deliver(h.close(1000));
      h.transport.eof();
    },
    "our own Close": (h) => {
      void h.connection.close();
      h.clock.advance(10_000);
    },
  };
  for (const [name, end] of Object.entries(endings)) {
    test(`C4: ${name} rejects every ping in flight in the turn of the end, and none unhandled`, async () => {
      const h = new Harness();
      void h.connection.ping("nobody waits for this one");
      const pings = ["a", "b", "c"].map((payload) => follow(h.connection.ping(payload)));
      h.clock.turn();
      let statesAtTheEnd: string[] = [];
      h.connection.signal.addEventListener("abort", () => {
        // After the microtasks of the same turn, with no timer or poll in between.
        process.nextTick(() => (statesAtTheEnd = pings.map((ping) => ping.outcome.status)));
      });
      end(h);
      await h.clock.settle();
      const { reason } = h.connection.signal as { readonly reason: unknown };
      assert.deepEqual(statesAtTheEnd, ["rejected", "rejected", "rejected"]);
      for (const { outcome } of pings) assert.equal(outcome.status === "rejected" && outcome.error, reason);
      void h.connection.ping("too late, and nobody waits either");
      await assert.rejects(h.connection.ping("too late"), (error) => error === reason);
      await h.clock.settle(); // An unhandled rejection would fail the test here.
      h.assertGone();
    });
  }

  test("C4: a hundred thousand aborted pings leave nothing: no ping, no byte, no listener, no memory", async () => {
    const h = new Harness();
    const { signal } = new AbortController();
    // A real AbortSignal would take most of the test's time.
    const listeners = new Set<() => void>();
    signal.addEventListener = (_type: string, listener: unknown) => listeners.add(listener as () => void);
    signal.removeEventListener = (_type: string, listener: unknown) =>
      listeners.delete(listener as () => void);
    const abortMany = async (count: number) => {
      for (let index = 0; index < count; index++) {
        h.connection.ping("x", { signal }).catch(() => undefined);
        for (const onAbort of listeners) onAbort();
      }
      await h.clock.settle();
    };
    await abortMany(10_000);
    const before = await usedMemory();
    for (let batch = 1; batch < 10; batch++) await abortMany(10_000);
    const growth = (await usedMemory()) - before;
    assert(growth < 2_000_000, `the pings left ${growth} bytes`); // 20 bytes per ping would be a leak.
    assert.equal(listeners.size, 0);
    assert.deepEqual(h.sent(), []);
    h.connection.terminate();
    assert.equal((await h.end()).evidence.pingsInFlight, 0);
  });
});
