// In a separate process: each test replaces globals, or leaves a lost timer behind.

import assert from "node:assert/strict";
import { describe, mock, test, type MockTimersOptions } from "node:test";
import { connect, connectPersistent, serve, type Connection } from "holdfast";

// The real functions, which later replacements do not affect.
const { setTimeout, setImmediate } = globalThis;

/** Waits in real time, because sockets are real. */
async function until(isTrue: () => boolean, what: string): Promise<void> {
  const now = performance.now.bind(performance);
  const end = now() + 20_000;
  while (!isTrue()) {
    if (now() > end) assert.fail(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const answered = (connection: Connection) => connection.latencyStats.answered;

const FAKES: [string, MockTimersOptions][] = [
  ["setTimeout", { apis: ["setTimeout"] }],
  ["setTimeout and Date", { apis: ["setTimeout", "Date"] }],
  ["everything, in 1970", { apis: ["setInterval", "setTimeout", "setImmediate", "Date"], now: 0 }],
];

for (const [name, options] of FAKES) {
  describe(`fakes of ${name}`, () => {
    test("C20: a deadline that is set while they are restored does not stop the others", async () => {
      const server = await serve(() => undefined, { pingInterval: null });
      mock.timers.enable(options);
      const first = await connect(server.url, { pingInterval: 60_000 });
      mock.timers.reset();
      const second = await connect(server.url, { pingInterval: 20 });
      await until(() => answered(second) > 3, "pings are answered");
      await Promise.all([first.close(), second.close()]);
      await server.close();
    });

    test("C20: an idle connection continues automatically after they are restored", async () => {
      const server = await serve(() => undefined, { pingInterval: null });
      mock.timers.enable(options);
      const connection = await connect(server.url, { pingInterval: 50 });
      await until(() => answered(connection) === 1, "the first ping is answered");
      mock.timers.reset();
      await until(() => answered(connection) > 3, "pings are answered");
      await connection.close();
      await server.close();
    });

    test("C20: advancing them sends pings, on time", async () => {
      const server = await serve(() => undefined, { pingInterval: null });
      mock.timers.enable(options);
      try {
        const connection = await connect(server.url, { pingInterval: 20_000 });
        for (let count = 1; count <= 4; count++) {
          await until(() => answered(connection) === count, `ping ${count} is answered`);
          for (let second = 0; second < 19; second++) mock.timers.tick(1_000);
          await turn();
          assert.equal(connection.latencyStats.sent, count);
          mock.timers.tick(1_000);
          await until(() => connection.latencyStats.sent === count + 1, "the next ping is sent");
        }
        await connection.close();
      } finally {
        mock.timers.reset();
      }
      await server.close();
    });

    test("C20: advancing them declares a silent peer dead and makes a client connect again", async () => {
      const server = await serve(() => undefined, { pingInterval: null, autoPong: false });
      mock.timers.enable(options);
      try {
        const states: string[] = [];
        const link = connectPersistent(server.url, {
          pingInterval: 20_000,
          pingTimeout: 20_000,
          firstDelay: 5_000,
        });
        link.on("status", ({ state }) => states.push(state));
        let cause = "";
        link.on("disconnected", ({ info }) => (cause = info.cause));
        await until(() => states.includes("open"), "it is open");
        for (let second = 0; second < 90 && states.filter((state) => state === "open").length < 2; second++) {
          mock.timers.tick(1_000);
          for (let count = 0; count < 10; count++) await turn();
          if (states.at(-1) === "connecting")
            await until(() => states.at(-1) !== "connecting", "it is open again");
        }
        assert.deepEqual(states, ["open", "waiting", "connecting", "open"]);
        assert.equal(cause, "heartbeat-timeout");
        link.terminate();
        await link.closed;
      } finally {
        mock.timers.reset();
      }
      await server.close();
    });
  });
}

test("C20: a timer that was cleared by others is set again", async () => {
  const server = await serve(() => undefined, { pingInterval: null });
  const global = globalThis as { setTimeout: unknown };
  const handles: NodeJS.Timeout[] = [];
  const real = globalThis.setTimeout;
  global.setTimeout = (callback: () => void, delay: number) => {
    const handle = real(callback, delay);
    handles.push(handle);
    return handle;
  };
  try {
    const connection = await connect(server.url, { pingInterval: 50 });
    await until(() => answered(connection) === 2, "two pings are answered");
    for (const handle of handles) clearTimeout(handle);
    await until(() => answered(connection) > 3, "more pings are answered");
    await connection.close();
  } finally {
    global.setTimeout = real;
  }
  await server.close();
});

const TIMELESS: [string, () => unknown][] = [
  ["returns nothing", () => undefined],
  ["returns NaN", () => NaN],
  ["throws", () => assert.fail("not implemented")],
];

for (const [name, now] of TIMELESS) {
  test(`C20: a mocked performance.now that ${name} stops no timer, neither then nor after it is restored`, async () => {
    const server = await serve(() => undefined, { pingInterval: null });
    const connection = await connect(server.url, { pingInterval: 20 });
    await until(() => answered(connection) > 0, "a ping is answered");
    const before = answered(connection);
    const mocked = mock.method(performance, "now", now as () => number);
    let second: Connection;
    try {
      second = await connect(server.url, { pingInterval: 20 });
      // At least until the next look for a stall of the event loop.
      for (let turns = 0; turns < 30 || (turns < 1_000 && answered(connection) < before + 3); turns++)
        await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      mocked.mock.restore();
    }
    assert.ok(answered(connection) >= before + 3, "pings continue");
    for (const each of [connection, second]) {
      const restored = answered(each);
      await until(() => answered(each) > restored + 3, "pings are answered");
    }
    await assert.rejects(connect("ws://a.test", { lookup: () => undefined, openTimeout: 100 }), {
      name: "OpenTimeoutError",
    });
    await Promise.all([connection.close(), second.close()]);
    await server.close();
  });
}
