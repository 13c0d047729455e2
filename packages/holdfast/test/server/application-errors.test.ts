import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect, connectPersistent, serve, type Logger } from "holdfast";
import { eventually } from "holdfast-testkit";

let printed = "";
const { stderr } = process;
const write = stderr.write.bind(stderr);

const timesIn = (text: string, part: string) => text.split(part).length - 1;

describe("without a logger", () => {
  beforeEach(() => {
    printed = "";
    stderr.write = (text: string) => {
      printed += text;
      return true;
    };
  });
  afterEach(() => {
    stderr.write = write;
  });

  function failingHandler() {
    throw new Error("boom in the handler");
  }

  test("G8: a handler that throws or rejects is printed once, with its stack", async () => {
    for (const handler of [failingHandler, async () => failingHandler()]) {
      printed = "";
      const server = await serve(handler);
      const connection = await connect(server.url);
      assert.equal((await connection.closed).code, 1011);
      await server.close();
      assert.equal(timesIn(printed, "holdfast: connection handler failed"), 1);
      assert.equal(timesIn(printed, "Error: boom in the handler\n    at "), 1);
      assert.match(printed, /application-errors\.test/);
    }
  });

  test("G8: onRequest and selectSubprotocol that throw are printed", async () => {
    for (const name of ["onRequest", "selectSubprotocol"] as const) {
      printed = "";
      const server = await serve(() => undefined, {
        [name]: () => {
          throw new Error("boom");
        },
      });
      await assert.rejects(connect(server.url, { subprotocols: ["a"] }), { status: 500 });
      await server.close();
      assert.equal(timesIn(printed, `holdfast: ${name} failed\nError: boom\n    at `), 1, printed);
    }
  });

  test("G8: a trustProxy that throws or is async is printed", async () => {
    const failures: readonly (readonly [trustProxy: () => unknown, error: string])[] = [
      [failingHandler, "Error: boom in the handler\n    at "],
      [async () => true, "Expected `trustProxy()` to be true or false, got a promise."],
    ];
    for (const [trustProxy, error] of failures) {
      for (const limits of [null, true]) {
        printed = "";
        const server = await serve(() => undefined, { trustProxy: trustProxy as () => boolean, limits });
        await (await connect(server.url)).close();
        await server.close();
        assert.ok(timesIn(printed, "holdfast: trustProxy failed") > 0);
        assert.ok(timesIn(printed, error) > 0, printed);
      }
    }
  });

  test("G8: a refused origin is warned of once, with the option that allows it", async () => {
    const server = await serve(() => undefined);
    for (const origin of ["https://a.example", "https://a.example", "https://b.example"]) {
      await assert.rejects(connect(server.url, { origin }), { status: 403 });
    }
    assert.equal(timesIn(printed, "holdfast: origin refused"), 2, printed);
    assert.equal(timesIn(printed, "https://a.example"), 1);
    assert.match(printed, /`origins`/);
    for (let index = 0; index < 200; index++) {
      await assert.rejects(connect(server.url, { origin: `https://${index}.example` }), { status: 403 });
    }
    assert.equal(timesIn(printed, "holdfast: origin refused"), 100);
    await server.close();
  });

  test("G8: listeners of a client that throw are printed, and change nothing", async () => {
    const server = await serve(() => undefined, { pingInterval: 10 });
    const link = connectPersistent(server.url);
    link.on("status", () => {
      throw new Error("boom");
    });
    const connection = await connect(server.url);
    connection.on("ping", () => {
      throw new Error("boom");
    });
    await eventually(() => timesIn(printed, 'a listener of "ping" failed') > 1, "pings come", 30_000);
    await eventually(() => link.status.state === "open", "the persistent connection", 30_000);
    assert.ok(printed.includes('a listener of "status" failed\nError: boom\n    at '));
    assert.deepEqual([connection.state, link.status.state], ["open", "open"]);
    await Promise.all([connection.close(), link.close()]);
    await server.close();
  });

  test("G8: with `logger: null` nothing is printed", async () => {
    const server = await serve(failingHandler, { logger: null });
    const connection = await connect(server.url, { logger: null });
    await connection.closed;
    await assert.rejects(connect(server.url, { origin: "https://a.example" }), { status: 403 });
    await server.close();
    const quiet = await serve(() => undefined);
    await (await connect(quiet.url)).close();
    await quiet.close();
    assert.equal(printed, "");
  });
});

const isThenable = (value: unknown) => {
  if (value instanceof Promise) value.catch(() => undefined);
  return typeof value === "object";
};

describe("loggers that fail", () => {
  const failing = (fail: () => unknown): Logger => {
    const log = () => fail() as undefined;
    return { debug: log, info: log, warn: log, error: log, isLevelEnabled: () => isThenable(fail()) };
  };

  const kinds: [string, () => unknown][] = [
    [
      "throw",
      () => {
        throw new Error("boom");
      },
    ],
    ["reject", () => Promise.reject(new Error("boom"))],
    [
      "return thenables that throw",
      () => ({
        then: () => {
          throw new Error("boom");
        },
      }),
    ],
    [
      "throw what cannot be shown",
      () => {
        throw Object.create(null) as Error;
      },
    ],
  ];
  const warnings: Error[] = []; // Of the whole process.
  for (const [kind, fail] of kinds) {
    test(`G8: loggers that ${kind} cause one warning of the process, and change nothing else`, async () => {
      const onWarning = (warning: Error) => {
        if (warning.name === "HoldfastWarning") warnings.push(warning);
      };
      process.on("warning", onWarning);
      const clientLogger = failing(fail);
      const server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
        logger: failing(fail),
      });
      const connections = await Promise.all(
        Array.from({ length: 3 }, () => connect(server.url, { logger: clientLogger })),
      );
      // In one turn, so that one flush sends all messages.
      for (const connection of connections) void connection.send("hello");
      for (const connection of connections) assert.equal(await connection.recv(), "hello");
      await assert.rejects(connect(server.url, { origin: "https://a.example", logger: clientLogger }), {
        status: 403,
      });
      const infos = await Promise.all(connections.map((connection) => connection.close()));
      assert.deepEqual(
        infos.map(({ ok }) => ok),
        [true, true, true],
      );
      await server.close();
      await new Promise(setImmediate);
      process.off("warning", onWarning);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]?.message ?? "", /Fix the logger\./);
    });
  }
});
