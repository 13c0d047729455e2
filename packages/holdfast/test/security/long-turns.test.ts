import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { connect, serve, type Connection, type ServeOptions, type Server } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  closePayload,
  frame,
  OPCODE,
  RawClient,
  type ResourceCounts,
} from "holdfast-testkit";

/** The number of messages that a server handled in each turn of the event loop with at least one. */
class TurnCounter {
  readonly counts: number[] = [];
  #current = 0;
  #isRunning = true;

  constructor() {
    const look = (): void => {
      if (this.#current > 0) this.counts.push(this.#current);
      this.#current = 0;
      if (this.#isRunning) setImmediate(look);
    };
    setImmediate(look);
  }

  add(): void {
    this.#current++;
  }

  stop(): void {
    this.#isRunning = false;
  }
}

/** One byte in 63 DEFLATE blocks, as RFC 7692 section 7.2.1 allows. */
const MANY_STREAMS = Buffer.concat([
  ...Array.from({ length: 62 }, () => deflateRawSync("")),
  deflateRawSync("x"),
  Buffer.of(0),
]);

describe("One peer's work in one turn", () => {
  let resources: ResourceCounts;
  let server: Server | null = null;

  beforeEach(() => (resources = activeResources()));
  afterEach(async () => {
    await server?.close({ timeout: 1000 });
    server = null;
    await assertNothingLeft(resources);
  });

  async function attacker(
    onConnection: (connection: Connection) => unknown,
    options: ServeOptions = {},
    extensions = "",
  ): Promise<RawClient> {
    server = await serve((connection) => onConnection(connection), { host: "127.0.0.1", ...options });
    const client = await RawClient.connect({ port: server.port });
    client.write(
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extensions}\r\n`,
    );
    await client.readHead();
    return client;
  }

  test("E10: messages of many DEFLATE streams are inflated over many turns, in order, and then the Close is read", async () => {
    const turns = new TurnCounter();
    let messages = 0;
    let hasPaused = false;
    let resolve: (code: number) => void = () => undefined;
    const closed = new Promise<number>((settle) => (resolve = settle));
    await using client = await attacker(
      (connection) => {
        connection.on("paused", () => (hasPaused = true));
        void connection.forEach((message) => {
          assert.equal(message, messages % 2 === 0 ? "x" : "plain");
          messages++;
          turns.add();
        });
        void connection.closed.then(({ code }) => resolve(code));
      },
      { compression: true },
      "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    );
    const pair = Buffer.concat([
      frame({ opcode: OPCODE.text, rsv: 4, mask: true, payload: MANY_STREAMS }),
      frame({ opcode: OPCODE.text, mask: true, payload: Buffer.from("plain") }),
    ]);
    client.write(Buffer.concat(Array.from({ length: 1500 }, () => pair)));
    client.write(frame({ opcode: OPCODE.close, mask: true, payload: closePayload(4321) }));
    assert.equal(await closed, 4321);
    turns.stop();
    assert.equal(messages, 3000);
    assert.equal(hasPaused, false);
    // A chunk of 64 KiB holds 700 of these; a fast machine inflates about thirty in 8 ms.
    assert.ok(Math.max(...turns.counts) < 300, `${Math.max(...turns.counts)} messages in one turn`);
  });

  const FLOODS: Readonly<Record<string, Uint8Array>> = {
    "tiny messages": frame({ opcode: OPCODE.text, mask: true, payload: Buffer.from("x") }),
    "empty messages": frame({ opcode: OPCODE.binary, mask: true, payload: Buffer.alloc(0) }),
  };

  for (const [name, message] of Object.entries(FLOODS)) {
    test(`E10: slow callbacks for ${name} that came in one chunk run over many turns`, async () => {
      const turns = new TurnCounter();
      const count = 300;
      let seen = 0;
      let resolve: () => void = () => undefined;
      const done = new Promise<void>((settle) => (resolve = settle));
      await using client = await attacker((connection) => {
        void connection.forEach(() => {
          turns.add();
          const until = performance.now() + 1;
          while (performance.now() < until);
          if (++seen === count) resolve();
        });
      });
      client.write(Buffer.concat(Array.from({ length: count }, () => message)));
      await done;
      turns.stop();
      assert.ok(Math.max(...turns.counts) <= 32, `${Math.max(...turns.counts)} messages in one turn`);
    });
  }

  test("E10: a listener that is slow for each of a flood of Pings runs over many turns", async () => {
    const turns = new TurnCounter();
    let seen = 0;
    let resolve: () => void = () => undefined;
    const done = new Promise<void>((settle) => (resolve = settle));
    await using client = await attacker((connection) => {
      connection.on("ping", () => {
        turns.add();
        const until = performance.now() + 1;
        while (performance.now() < until);
        if (++seen === 200) resolve();
      });
    });
    client.write(
      Buffer.concat(Array.from({ length: 200 }, () => frame({ opcode: OPCODE.ping, mask: true }))),
    );
    await done;
    turns.stop();
    assert.ok(Math.max(...turns.counts) <= 32, `${Math.max(...turns.counts)} pings in one turn`);
  });

  test("E10: messages that wait for the next turn when the peer closes are delivered before the end", async () => {
    let seen = 0;
    let resolve: (seen: number) => void = () => undefined;
    const done = new Promise<number>((settle) => (resolve = settle));
    server = await serve(
      (connection) => {
        void connection.forEach(() => {
          const until = performance.now() + 1;
          while (performance.now() < until);
          seen++;
        });
        void connection.closed.then(() => resolve(seen));
      },
      { host: "127.0.0.1" },
    );
    const client = await connect(server.url);
    for (let index = 0; index < 200; index++) void client.send("x");
    await client.close();
    assert.equal(await done, 200);
  });

  test("E10: a Close and FIN after messages that wait for the next turn are reported after them, as a clean end", async () => {
    let seen = 0;
    let resolve: (code: number) => void = () => undefined;
    const done = new Promise<number>((settle) => (resolve = settle));
    await using client = await attacker((connection) => {
      void connection.forEach(() => {
        const until = performance.now() + 1;
        while (performance.now() < until);
        seen++;
      });
      void connection.closed.then(({ code }) => resolve(code));
    });
    const message = frame({ opcode: OPCODE.text, mask: true, payload: Buffer.from("x") });
    const close = frame({ opcode: OPCODE.close, mask: true, payload: closePayload(4321) });
    client.write(Buffer.concat([...Array.from({ length: 300 }, () => message), close]));
    client.end();
    assert.equal(await done, 4321);
    assert.equal(seen, 300);
  });
});
