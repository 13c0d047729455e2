import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { connect, HoldfastError, serve, type Connection } from "../../build/index.js";
import { closePayload, frame, OPCODE, RawClient, RawServer, withTimeout } from "holdfast-testkit";
import { Harness, ROLES, type Outcome } from "../connection/harness.js";

/** Errors that the application's own callback or signal may cause. */
const OWN = new Error("The application's own");

/** Tracks the results of calls: every error has to be a documented one, and every promise has to settle in the end. */
class Calls {
  readonly connection: Connection;
  readonly #followed: { readonly name: string; outcome: Outcome<unknown> }[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
  }

  make(name: string, call: (connection: Connection) => unknown): void {
    const followed: { name: string; outcome: Outcome<unknown> } = { name, outcome: { status: "pending" } };
    this.#followed.push(followed);
    try {
      Promise.resolve(call(this.connection)).then(
        (value) => (followed.outcome = { status: "fulfilled", value }),
        (error: unknown) => (followed.outcome = { status: "rejected", error }),
      );
    } catch (error) {
      followed.outcome = { status: "rejected", error };
    }
  }

  assertDocumented(): void {
    for (const { name, outcome } of this.#followed) {
      if (outcome.status === "rejected" && outcome.error !== OWN) {
        assert(outcome.error instanceof HoldfastError, `${name}: ${String(outcome.error)}`);
      }
      assert.notEqual(outcome.status, "pending", `${name} never settled`);
    }
  }
}

type Call = readonly [name: string, call: (connection: Connection) => unknown];

const call = <Value>(name: string, values: fc.Arbitrary<Value>, make: (value: Value) => Call[1]) =>
  values.map((value): Call => [`${name}(${fc.stringify(value)})`, make(value)]);

/** Mostly valid arguments. */
const payload = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 200 }) },
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  fc.constantFrom<unknown>(new DataView(new ArrayBuffer(9)), new SharedArrayBuffer(3), new Float64Array(2)),
  fc.constantFrom<unknown>("x".repeat(100_000), new Uint8Array(100_000)),
  fc.anything(),
) as fc.Arbitrary<string>;

const signal = fc.constantFrom(undefined, null, AbortSignal.abort(OWN), 5 as unknown as AbortSignal);
const odd = fc.anything() as fc.Arbitrary<never>;
const code = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(1000, 1001, 1005, 3000, 4999) }, odd);
const reason = fc.oneof({ weight: 5, arbitrary: fc.string({ maxLength: 60 }) }, odd);
const timeout = fc.constantFrom(undefined, null, 1, 50, 0, "5" as unknown as number);
const listened = fc.oneof(
  fc.constantFrom("ping", "pong", "overdue", "suspended", "paused", "resumed"),
  odd,
) as fc.Arbitrary<"ping">;

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 4,
    arbitrary: call(
      "send",
      fc.tuple(payload, signal),
      ([data, stop]) =>
        (c) =>
          c.send(data, { signal: stop }),
    ),
  },
  {
    weight: 2,
    arbitrary: call(
      "ping",
      fc.tuple(payload, signal),
      ([data, stop]) =>
        (c) =>
          c.ping(data, { signal: stop }),
    ),
  },
  call("ping", fc.constant(undefined), () => (c) => c.ping()),
  call("pong", payload, (data) => (c) => c.pong(data)),
  call("recv", fc.record({ timeout, signal }), (options) => (c) => c.recv(options)),
  call("next", fc.constant(null), () => (c) => c[Symbol.asyncIterator]().next()),
  call(
    "forEach",
    fc.constantFrom("returns", "waits", "throws", "rejects", "closes", "terminates"),
    (what) => (c) =>
      c.forEach(() => {
        if (what === "throws") throw OWN;
        if (what === "rejects") return Promise.reject(OWN);
        if (what === "closes") return c.close(4000, "enough");
        if (what === "terminates") c.terminate();
        return what === "waits" ? Promise.resolve() : undefined;
      }),
  ),
  call("on", listened, (name) => (c) => void c.on(name, () => void c.ping())),
  call(
    "close",
    fc.tuple(code, reason),
    ([value, text]) =>
      (c) =>
        c.close(value, text),
  ),
  call("terminate", fc.constant(null), () => (c) => c.terminate()),
  call("getters", fc.constant(null), () => (c) => [
    c.id,
    c.latency,
    c.latencyStats,
    c.bufferedAmount,
    c.closed,
  ]),
);

/** Bytes from a peer, partly valid. `mask` says whether the peer is a client. */
const anyBytes = (mask: boolean): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    {
      weight: 5,
      arbitrary: fc
        .record({
          opcode: fc.constantFrom(...Object.values(OPCODE)),
          payload: fc.oneof(fc.uint8Array({ maxLength: 130 }), fc.string({ unit: "binary-ascii" })),
          isFinal: fc.boolean(),
        })
        .map((options) => frame({ mask, ...options })),
    },
    fc
      .constantFrom(1000, 1001, 3000, 4000)
      .map((value) => frame({ mask, opcode: OPCODE.close, payload: closePayload(value, "bye") })),
  );

type Step =
  | { readonly type: "advance" | "drain"; readonly amount: number }
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "call"; readonly call: Call }
  | { readonly type: "eof" | "reset" | "settle" };

const steps = (mask: boolean): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: anyCall.map((made): Step => ({ type: "call", call: made })) },
      { weight: 6, arbitrary: anyBytes(mask).map((bytes): Step => ({ type: "bytes", bytes })) },
      fc.constantFrom<Step>({ type: "settle" }, { type: "eof" }, { type: "reset" }),
      fc.nat(30_000).map((amount): Step => ({ type: "advance", amount })),
      fc.nat(5_000).map((amount): Step => ({ type: "drain", amount })),
    ),
    { minLength: 1, maxLength: 25 },
  );

for (const role of ROLES) {
  test(`H: random bytes and random calls on a ${role} raise documented errors only, leave no call waiting and nothing behind`, async () => {
    await fc.assert(
      fc.asyncProperty(
        steps(role === "server"),
        fc.constantFrom(Infinity, 1000, 0),
        fc.constantFrom(1, 1024),
        async (list, capacity, maxQueue) => {
          const h = new Harness({ role, capacity, maxQueue, pingInterval: 1000, pingTimeout: 2500 });
          const calls = new Calls(h.connection);
          for (const step of list) await take(step, h, calls);
          calls.make("recv to the end", (c) => c.forEach(() => undefined));
          h.connection.terminate();
          await h.clock.advanceAsync(60_000);
          // A reader now empties the inbox.
          await h.connection.forEach(() => undefined).catch(() => undefined);
          await h.clock.settle();
          calls.assertDocumented();
          h.assertGone();
        },
      ),
      { numRuns: 150 },
    );
  });
}

async function take(step: Step, h: Harness, calls: Calls): Promise<void> {
  switch (step.type) {
    case "call":
      calls.make(...step.call);
      return;
    case "bytes":
      h.deliver(step.bytes);
      return;
    case "advance":
      await h.clock.advanceAsync(step.amount);
      return;
    case "drain":
      h.transport.drain(step.amount);
      return;
    case "eof":
      h.transport.eof();
      return;
    case "reset":
      h.transport.fail();
      return;
    case "settle":
      await h.clock.settle();
  }
}

test("H: the same over real sockets, in both roles", async () => {
  let accepted: Connection | null = null;
  await using server = await serve((connection) => void (accepted = connection), {
    host: "127.0.0.1",
    pingInterval: 50,
    pingTimeout: 5000,
    closeTimeout: 200,
  });
  await using mirror = await RawServer.start({}, async (peer) => {
    await peer.acceptUpgrade();
  });
  await fc.assert(
    fc.asyncProperty(steps(true), steps(false), async (toServer, toClient) => {
      await using client = await RawClient.connect({ port: server.port });
      await client.upgrade();
      const connection = await connect(mirror.url(), {
        pingInterval: 50,
        pingTimeout: 5000,
        closeTimeout: 200,
      });
      const peer = await mirror.nextPeer();
      assert(accepted !== null);
      for (const [calls, remote, list] of [
        [new Calls(accepted), client, toServer],
        [new Calls(connection), peer, toClient],
      ] as const) {
        let isEnded = false;
        for (const step of list) {
          if (step.type === "call") calls.make(...step.call);
          else if (step.type === "bytes") remote.write(step.bytes);
          // Node never emits "close" for a socket that is reset while its FIN is in flight.
          else if ((step.type === "eof" || step.type === "reset") && !isEnded) {
            isEnded = true;
            if (step.type === "eof") remote.end();
            else remote.reset();
          } else if (step.type === "settle") await sleep(2);
        }
        calls.connection.terminate();
        await withTimeout(calls.connection.closed, 30_000, "the end");
        await calls.connection.forEach(() => undefined).catch(() => undefined);
        await sleep(0);
        calls.assertDocumented();
      }
      await peer.close();
    }),
    { numRuns: 40 },
  );
});
