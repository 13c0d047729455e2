import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, test } from "node:test";
import * as v8 from "node:v8";
import { connect, serve, type Connection, type DiagnosticsMessages } from "../../../build/index.js";
import { FrameMirror } from "../../../build/protocol/frame/frame-mirror.js";

type ChannelName = Extract<keyof DiagnosticsMessages, `holdfast:connection:${string}`>;
type Published = {
  readonly [Name in ChannelName]: { readonly name: Name; readonly message: DiagnosticsMessages[Name] };
}[ChannelName];

const NAMES: readonly ChannelName[] = [
  "holdfast:connection:open",
  "holdfast:connection:close",
  "holdfast:connection:ping",
  "holdfast:connection:pong",
  "holdfast:connection:frame:sent",
  "holdfast:connection:frame:received",
];

/** Functions to call at the end of each test. */
const undo: (() => void)[] = [];

function record(...names: readonly ChannelName[]): readonly Published[] {
  const published: Published[] = [];
  for (const name of names) {
    const listen = (message: unknown) => void published.push({ name, message } as Published);
    subscribe(name, listen);
    undo.push(() => unsubscribe(name, listen));
  }
  return published;
}

/**
 * A client that sends one message to an echo server, pings it once and closes; calls back while it is open.
 */
async function converse(whileOpen: (client: Connection) => void = () => undefined) {
  const opened: Connection[] = [];
  await using server = await serve(
    async (connection) => {
      opened.push(connection);
      for await (const message of connection) await connection.send(message);
    },
    { host: "127.0.0.1", pingInterval: null },
  );
  const client = await connect(server.url, { pingInterval: null });
  whileOpen(client);
  await client.send("Hello");
  await client.recv();
  const roundTrip = await client.ping("now?");
  const [serverSide] = opened;
  assert(serverSide !== undefined);
  const infos = [await client.close(1000, "bye"), await serverSide.closed] as const;
  return { client, serverSide, roundTrip, infos };
}

function frame(opcode: number, payload: string | Uint8Array) {
  const bytes = new Uint8Array(Buffer.from(payload));
  return { opcode, isFinal: true, isCompressed: false, length: bytes.length, payload: bytes };
}

describe("Channels", () => {
  afterEach(() => {
    for (const stop of undo.splice(0)) stop();
  });

  test("J2: both sides publish a conversation on every channel", async () => {
    const published = record(...NAMES);
    const { client, serverSide, roundTrip, infos } = await converse();
    const of = (connection: Connection) =>
      published
        .filter(({ message }) => message.connection === connection)
        .map(({ name, message: { connection: _, ...message } }) => [
          name.replace("holdfast:connection:", ""),
          message,
        ]);
    const [text, ping, pong] = [frame(1, "Hello"), frame(9, "now?"), frame(10, "now?")];
    const close = frame(8, Buffer.concat([Buffer.of(0x03, 0xe8), Buffer.from("bye")]));
    const payload = ping.payload;
    assert.deepEqual(of(client), [
      ["open", {}],
      ["frame:sent", { frame: text }],
      ["frame:received", { frame: text }],
      ["frame:sent", { frame: ping }],
      ["frame:received", { frame: pong }],
      ["pong", { payload, roundTrip }],
      ["frame:sent", { frame: close }],
      ["frame:received", { frame: close }],
      ["close", { info: infos[0] }],
    ]);
    assert.deepEqual(of(serverSide), [
      ["open", {}],
      ["frame:received", { frame: text }],
      ["frame:sent", { frame: text }],
      ["frame:received", { frame: ping }],
      ["ping", { payload }],
      ["frame:sent", { frame: pong }],
      ["frame:received", { frame: close }],
      ["frame:sent", { frame: close }],
      ["close", { info: infos[1] }],
    ]);
  });

  test("J2: a late subscriber receives pongs and the end of an open connection", async () => {
    let published: readonly Published[] = [];
    const { client, infos, roundTrip } = await converse(() => {
      published = record("holdfast:connection:pong", "holdfast:connection:close");
    });
    assert.deepEqual(
      published.filter(({ message }) => message.connection === client).map(({ message }) => message),
      [
        { connection: client, payload: new Uint8Array(Buffer.from("now?")), roundTrip },
        { connection: client, info: infos[0] },
      ],
    );
  });

  test("J2: a subscriber that throws ends no connection: it is an uncaught exception of its own", async () => {
    const failures: unknown[] = [];
    const catchIt = (error: unknown) => void failures.push(error);
    const listen = () => {
      throw new Error("subscriber");
    };
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", catchIt);
    subscribe("holdfast:connection:open", listen);
    try {
      const { infos } = await converse();
      assert.deepEqual(
        infos.map(({ ok }) => ok),
        [true, true],
      );
      assert.deepEqual(failures.map(String), ["Error: subscriber", "Error: subscriber"]);
    } finally {
      unsubscribe("holdfast:connection:open", listen);
      process.off("uncaughtException", catchIt);
      for (const listener of others) process.on("uncaughtException", listener);
    }
  });

  const queryObjects = (
    v8 as { queryObjects?: (constructor: unknown, options: { format: "count" }) => number }
  ).queryObjects;
  test(
    "J1, J2: without a frame subscriber nothing is allocated, and with one, two mirrors per connection",
    { skip: queryObjects === undefined && "Node.js is older than 20.13" },
    async () => {
      // `queryObjects` collects garbage first, so mirrors of earlier tests are gone.
      const count = () => queryObjects?.(FrameMirror, { format: "count" }) ?? 0;
      const counts: number[] = [];
      await converse(() => counts.push(count()));
      record("holdfast:connection:frame:sent");
      await converse(() => counts.push(count()));
      assert.deepEqual(counts, [0, 4]);
    },
  );
});
