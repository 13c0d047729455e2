import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { broadcast, connect, connectPersistent, serve, type Connection, type Server } from "holdfast";
import { activeResources, assertNothingLeft, type ResourceCounts } from "holdfast-testkit";

/** Sends one message in some way; resolves with whether it was sent. */
type Send = (connection: Connection, text: string) => Promise<boolean>;

const settled = (sent: Promise<unknown>): Promise<boolean> =>
  sent.then(
    () => true,
    () => false,
  );

async function* slowly(pieces: readonly string[], turns: number): AsyncGenerator<string> {
  for (const piece of pieces) {
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    yield piece;
  }
}

function aborted(
  connection: Connection,
  data: Parameters<Connection["send"]>[0],
  turns: number,
): Promise<boolean> {
  const aborter = new AbortController();
  const sent = settled(connection.send(data, { signal: aborter.signal }));
  void (async () => {
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    aborter.abort(new Error("aborted"));
  })();
  return sent;
}

const SENDS: Readonly<Record<string, Send>> = {
  text: (connection, text) => settled(connection.send(text)),
  "large text": (connection, text) => settled(connection.send(text.padEnd(100_000, "."))),
  bytes: (connection, text) => settled(connection.send(Buffer.from(text))),
  "large bytes": (connection, text) => settled(connection.send(Buffer.from(text.padEnd(70_000, ".")))),
  uncompressed: (connection, text) => settled(connection.send(text.padEnd(2000, "."), { compress: false })),
  compressed: (connection, text) => settled(connection.send(text.padEnd(2000, "."))),
  "sync pieces": (connection, text) => settled(connection.send([text, ".", "."])),
  "async pieces": (connection, text) => settled(connection.send(slowly([text, ".", "."], 1))),
  "slow pieces": (connection, text) => settled(connection.send(slowly([text, "."], 5))),
  "pieces that throw at once": (connection) =>
    settled(
      connection.send(
        // eslint-disable-next-line require-yield
        (function* (): Generator<string> {
          throw new Error("no");
        })(),
      ),
    ),
  "no sendable": (connection) => settled(connection.send(5 as unknown as string)),
  broadcast: (connection, text) => {
    broadcast([connection], text, { limit: null });
    return Promise.resolve(true);
  },
  "large broadcast": (connection, text) => {
    broadcast([connection], Buffer.from(text.padEnd(80_000, ".")), { limit: null });
    return Promise.resolve(true);
  },
  "aborted at once": (connection, text) => aborted(connection, text, 0),
  "aborted later": (connection, text) => aborted(connection, text.padEnd(100_000, "."), 2),
  "aborted pieces": (connection, text) => aborted(connection, slowly([text], 8), 1),
};

const shown = (message: string | Uint8Array): string => Buffer.from(message).toString().replace(/\.+$/, "");

describe("The order of messages", () => {
  let resources: ResourceCounts;
  let server: Server | null = null;

  beforeEach(() => (resources = activeResources()));
  afterEach(async () => {
    await server?.close({ timeout: 1000 });
    server = null;
    await assertNothingLeft(resources);
  });

  async function pair(options: object = {}): Promise<{ near: Connection; far: Connection }> {
    const opened = deferred<Connection>();
    server = await serve(
      async (connection) => {
        opened.resolve(connection);
        await connection.closed;
      },
      { host: "127.0.0.1", maxMessageSize: null, maxQueue: null, ...options },
    );
    const near = await connect(server.url, { maxMessageSize: null, maxQueue: null, ...options });
    return { near, far: await opened.promise };
  }

  async function received(connection: Connection): Promise<string[]> {
    const messages: string[] = [];
    for await (const message of connection) messages.push(shown(message));
    return messages;
  }

  test("E11: a message after an awaited helper that sends pieces follows the messages sent meanwhile", async () => {
    const { near, far } = await pair();
    const sendFile = async (connection: Connection) => {
      await connection.send(slowly(["fi", "le"], 2));
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const uploading = sendFile(from);
      void from.send("1");
      await uploading;
      await from.send("2");
      assert.deepEqual([await to.recv(), await to.recv(), await to.recv()], ["file", "1", "2"]);
    }
    await near.close();
  });

  test("E11: a broadcast waits for pieces, and a send after it waits for the broadcast", async () => {
    const { near, far } = await pair();
    const sending = far.send(slowly(["pie", "ces"], 2));
    broadcast([far], "to all");
    await sending;
    void far.send("then");
    broadcast([far], "and all");
    assert.deepEqual(
      [await near.recv(), await near.recv(), await near.recv(), await near.recv()],
      ["pieces", "to all", "then", "and all"],
    );
    await near.close();
  });

  test("E11: close() sends its Close after the messages that wait for pieces, which are sent whole", async () => {
    const { near, far } = await pair();
    const messages: string[] = [];
    const reading = far.forEach((message) => void messages.push(shown(message)));
    const sends = [near.send(slowly(["a", "b"], 3)), near.send("next"), near.send(["last", "!"])];
    const closing = near.close(4001, "done");
    const late = near.send("too late");
    await Promise.all(sends);
    const [info, farInfo] = await Promise.all([closing, reading]);
    await assert.rejects(late, { info });
    assert.deepEqual(messages, ["ab", "next", "last!"]);
    assert.deepEqual(
      [info.sent, farInfo.received],
      [
        { code: 4001, reason: "done" },
        { code: 4001, reason: "done" },
      ],
    );
  });

  test("E11: a message that breaks off while close() waits ends the connection with 1011", async () => {
    const { near, far } = await pair();
    const broken = near.send(
      (async function* () {
        yield "a";
        yield "b";
        await nextTurn();
        throw new Error("broken");
      })(),
    );
    const behind = near.send("behind");
    void near.close();
    await assert.rejects(broken, { message: "broken" });
    await assert.rejects(behind);
    assert.deepEqual((await far.closed).received, { code: 1011, reason: "error in fragmented message" });
  });

  test("D4: pieces that never come do not hold close() longer than closeTimeout", async () => {
    const { near } = await pair({ closeTimeout: 100 });
    const never = near.send({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }),
    });
    const behind = near.send("behind");
    const info = await near.close();
    assert.equal(info.cause, "close-timeout");
    await assert.rejects(never);
    await assert.rejects(behind);
  });

  test("F1: a persistent connection keeps the order of messages and pieces", async () => {
    const { far } = await pair();
    const messages: string[] = [];
    far.terminate();
    await server?.close({ timeout: 0 });
    server = await serve(
      (connection) => connection.forEach((message) => void messages.push(shown(message))),
      {
        host: "127.0.0.1",
      },
    );
    const persistent = connectPersistent(server.url, {
      onOpen: (connection) => {
        void connection.send(slowly(["fi", "rst"], 3));
      },
    });
    const sends = ["1", "2", "3"].map((text) => persistent.send(text));
    await Promise.all(sends);
    await persistent.send("4");
    await persistent.close();
    assert.deepEqual(messages, ["first", "1", "2", "3", "4"]);
  });

  for (const compression of [true, false]) {
    test(`E11: any mix of sends, pieces, broadcasts and aborts arrives whole and in call order, compression ${compression}`, async () => {
      const step = fc.record({ kind: fc.constantFrom(...Object.keys(SENDS)), turns: fc.nat(2) });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isServer) => {
          const { near, far } = await pair({ compression });
          const [from, to] = isServer ? [far, near] : [near, far];
          const reading = received(to);
          const fates: Promise<boolean>[] = [];
          for (const [index, { kind, turns }] of steps.entries()) {
            fates.push(SENDS[kind](from, `#${index} `));
            for (let turn = 0; turn < turns; turn++) await nextTurn();
          }
          await from.close();
          const kept = await Promise.all(fates);
          const expected = steps.map((_, index) => `#${index} `).filter((_, index) => kept[index]);
          assert.deepEqual(await reading, expected);
          await server?.close({ timeout: 1000 });
        }),
        { numRuns: 40, interruptAfterTimeLimit: 60_000 },
      );
    });
  }
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
