import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { duplexPair, type Duplex } from "node:stream";
import { test } from "node:test";
import { withTimeout } from "holdfast-testkit";
import {
  Adopter,
  openSocket,
  type AdoptedConnection,
  type AdoptedHandler,
  type AdopterOptions,
  type AgreedCompression,
} from "../../build/adapter.js";
import { InvalidArgumentError, NegotiationError } from "../../build/shared/errors.js";

type Event = readonly unknown[];

/** Records what an adapter receives. */
class Recorder implements AdoptedHandler {
  readonly events: Event[] = [];
  readonly ended: Promise<void>;
  adopted: AdoptedConnection | null = null;
  #end!: () => void;

  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  onMessage(payload: Buffer, isText: boolean): void {
    this.events.push(["message", payload.length > 40 ? payload.length : payload.toString(), isText]);
  }

  onPing(payload: Buffer): void {
    this.events.push(["ping", payload.toString()]);
  }

  onPong(payload: Buffer, isKeepalive: boolean): void {
    this.events.push(["pong", isKeepalive ? payload.length : payload.toString(), isKeepalive]);
  }

  onClosing(code: number, reason: string): void {
    this.events.push(["closing", code, reason]);
    this.adopted?.answerClose();
  }

  onFailure(error: Error): void {
    this.events.push(["failure", error.message]);
  }

  onEnded({ cause, received }: { cause: string; received: object | null }): void {
    this.events.push(["ended", cause, received]);
    this.#end();
  }
}

const HANDSHAKE = {
  url: "ws://peer/path",
  subprotocol: "chat",
  compression: null,
  request: { method: "GET", target: "/path", headers: new Headers({ host: "peer" }) },
  response: { status: 101, headers: new Headers() },
};

function adopt(
  stream: Duplex,
  role: "client" | "server",
  options: Partial<AdopterOptions> = {},
  { head = Buffer.alloc(0), compression = null as AgreedCompression | null } = {},
): Recorder & { adopted: AdoptedConnection } {
  const recorder = new Recorder();
  const adopter = new Adopter({ pingInterval: null, ...options, role });
  const adopted = adopter.adopt(stream, head, recorder, { ...HANDSHAKE, compression });
  return Object.assign(recorder, { adopted });
}

/** Both ends of a stream in memory. */
function pair(options: Partial<AdopterOptions> = {}): {
  client: ReturnType<typeof adopt>;
  server: ReturnType<typeof adopt>;
} {
  const [near, far] = duplexPair();
  return { client: adopt(near, "client", options), server: adopt(far, "server", options) };
}

const bothEnd = (...recorders: readonly Recorder[]): Promise<unknown> =>
  withTimeout(Promise.all(recorders.map(({ ended }) => ended)), 30_000, "the end");

test("N4: an adopted connection passes messages, fragments, pings and the Close in their order", async () => {
  const { client, server } = pair();
  client.adopted.send("text", true);
  client.adopted.send(Buffer.from("text as bytes"), true);
  client.adopted.send(Buffer.from("binary"), false);
  client.adopted.sendFragment(Buffer.from("frag"), true, false);
  client.adopted.ping("between");
  client.adopted.sendFragment(Buffer.from("ment"), true, true);
  client.adopted.ping("");
  client.adopted.pong("unasked");
  client.adopted.send(Buffer.alloc(200_000), false);
  client.adopted.close(1005, "");
  await bothEnd(client, server);
  assert.deepEqual(server.events, [
    ["message", "text", true],
    ["message", "text as bytes", true],
    ["message", "binary", false],
    ["ping", "between"],
    ["message", "fragment", true],
    ["ping", ""],
    ["pong", "unasked", false],
    ["message", 200_000, false],
    ["closing", 1005, ""],
    ["ended", "peer-close", { code: 1005, reason: "" }],
  ]);
  assert.deepEqual(client.events, [
    ["pong", "between", false],
    ["pong", "", false],
    ["ended", "local-close", { code: 1005, reason: "" }],
  ]);
  const { url, subprotocol, request, traffic } = server.adopted.connection;
  assert.deepEqual(
    [
      url,
      subprotocol,
      request.target,
      traffic.messagesReceived,
      client.adopted.connection.traffic.messagesSent,
    ],
    ["ws://peer/path", "chat", "/path", 5, 5],
  );
});

test("N4: nothing is delivered within adopt(), also what was read with the handshake", async () => {
  const [near] = duplexPair();
  const server = adopt(
    near,
    "server",
    {},
    { head: Buffer.from("818200000000686981800000000089800000000088800000000000", "hex") },
  );
  assert.deepEqual(server.events, []);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.deepEqual(server.events.slice(0, 3), [
    ["message", "hi", true],
    ["message", "", true],
    ["ping", ""],
  ]);
  server.adopted.terminate();
  await bothEnd(server);
});

test("N4: a violation of the protocol is reported before the end; `closeReasons: false` keeps the peer's Close short", async () => {
  for (const closeReasons of [true, false]) {
    const [near, far] = duplexPair();
    const client = adopt(near, "client", { closeReasons });
    const chunks: Buffer[] = [];
    far.on("data", (chunk: Buffer) => chunks.push(chunk));
    far.write(Buffer.from("8500", "hex"));
    while (chunks.length === 0) await new Promise(setImmediate);
    const [, length = 0] = Buffer.concat(chunks);
    assert.equal((length & 0x7f) > 2, closeReasons);
    client.adopted.terminate();
    await bothEnd(client);
    assert.deepEqual(client.events, [
      ["failure", "Expected a known opcode, got 0x5."],
      ["ended", "protocol-error", null],
    ]);
  }
});

test("N4: `firstPing: interval` sends no ping before an interval has passed", async () => {
  for (const [firstPing, expected] of [
    ["open", ["ping"]],
    ["interval", []],
  ] as const) {
    const [near, far] = duplexPair();
    const quick = { pingInterval: 60_000, firstPing };
    const [client, server] = [adopt(near, "client", quick), adopt(far, "server")];
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    assert.deepEqual(
      server.events.map(([type]) => type),
      expected,
    );
    for (const { adopted } of [client, server]) adopted.terminate();
    await bothEnd(client, server);
  }
});

test("N4: pause() lasts after close(): messages wait until resume()", async () => {
  const { client, server } = pair();
  server.adopted.pause();
  client.adopted.send("held", true);
  server.adopted.close(1000, "");
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  assert.deepEqual(server.events, []);
  server.adopted.resume();
  await bothEnd(client, server);
  assert.deepEqual(server.events[0], ["message", "held", true]);
});

test("N4: `endsFirst: true` ends a client's side after both Close frames", async () => {
  const [near, far] = duplexPair();
  const client = adopt(near, "client", { endsFirst: true });
  far.on("data", () => undefined);
  const ended = once(far, "end");
  far.write(Buffer.from("880203e8", "hex"));
  await ended;
  far.end();
  await bothEnd(client);
});

test("N4: pause() holds messages back until resume()", async () => {
  const { client, server } = pair();
  server.adopted.pause();
  client.adopted.send("held", true);
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  assert.deepEqual(server.events, []);
  server.adopted.resume();
  client.adopted.close(1000, "done");
  await bothEnd(client, server);
  assert.deepEqual(server.events[0], ["message", "held", true]);
});

test("N4: the agreed compression is used; a malformed header is a NegotiationError", async () => {
  const [near, far] = duplexPair();
  const [forClient, forServer] = (["client", "server"] as const).map(
    (role) => new Adopter({ role, compression: true }),
  );
  const agreed = forServer.acceptCompression(forClient.offerCompression() ?? "");
  assert.ok(agreed);
  const answer = forClient.readCompression(agreed.header);
  const client = adopt(near, "client", {}, { compression: answer });
  const server = adopt(far, "server", {}, { compression: agreed });
  client.adopted.send("a".repeat(5000), true);
  client.adopted.send("b".repeat(5000), true, { compress: false, onSent: null });
  client.adopted.close(1000, "");
  await bothEnd(client, server);
  assert.deepEqual(server.events.slice(0, 2), [
    ["message", 5000, true],
    ["message", 5000, true],
  ]);
  const { bytesReceived } = server.adopted.connection.traffic;
  assert.ok(bytesReceived > 5000 && bytesReceived < 6000, String(bytesReceived));
  assert.equal(new Adopter({ role: "server" }).acceptCompression("permessage-deflate"), null);
  for (const call of [
    () => forServer.acceptCompression("permessage-deflate; ="),
    () => forClient.readCompression("permessage-deflate; client_max_window_bits=7"),
    () => new Adopter({ role: "client" }).readCompression("permessage-deflate"),
    () => forClient.readCompression("foo"),
    () => forClient.readCompression("x-webkit-deflate-frame; server_no_context_takeover"),
  ])
    assert.throws(call, NegotiationError);
});

test("N4: `onSent` is called when the socket gets a message, and not after the end", async () => {
  const { client, server } = pair();
  const sent: string[] = [];
  client.adopted.send("one", true, { compress: true, onSent: () => sent.push("one") });
  assert.deepEqual([...sent], []);
  client.adopted.flush();
  assert.deepEqual([...sent], ["one"]);
  for (const { adopted } of [client, server]) adopted.terminate();
  await bothEnd(client, server);
  client.adopted.send("late", true, { compress: true, onSent: () => sent.push("late") });
  client.adopted.ping("late");
  client.adopted.pong("late");
  client.adopted.sendFragment(Buffer.from("late"), true, true);
  assert.deepEqual([...sent], ["one"]);
});

test("N4: a socket of openSocket() emits `data` before it is adopted, and to later listeners as well", async () => {
  const accepted: Socket[] = [];
  const listener = createServer((socket) => {
    accepted.push(socket.on("error", () => undefined));
    socket.write("before");
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const socket = openSocket({ host: "127.0.0.1", port: (listener.address() as AddressInfo).port });
  try {
    assert.equal(String((await once(socket, "data"))[0]), "before");
    socket.removeAllListeners("data");
    const client = adopt(socket, "client");
    const seen: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => seen.push(chunk));
    const frames = Buffer.from("810568656c6c6f8203010203", "hex");
    accepted[0]?.write(frames);
    while (client.events.length < 2) await new Promise(setImmediate);
    assert.deepEqual(client.events, [
      ["message", "hello", true],
      ["message", "\u0001\u0002\u0003", false],
    ]);
    assert.deepEqual(Buffer.concat(seen), frames);
    client.adopted.terminate();
    await bothEnd(client);
  } finally {
    socket.destroy();
    for (const each of accepted) each.destroy();
    listener.close();
  }
});

test("N4: invalid options and arguments are rejected", () => {
  const [stream] = duplexPair();
  const adopter = new Adopter({ role: "client" });
  const none = Buffer.alloc(0);
  const rejected: readonly (readonly [() => unknown, RegExp])[] = [
    [() => new Adopter({ role: "peer" as "client" }), /`role`/],
    [() => new Adopter({} as AdopterOptions), /`role` to be "client" or "server", got undefined/],
    [() => new Adopter(undefined as never), /options of Adopter to be an object, got undefined/],
    [() => new Adopter({ role: "client", firstPing: "soon" as "open" }), /`firstPing`/],
    [() => new Adopter({ role: "client", generateMask: 5 as never }), /`generateMask`/],
    [() => new Adopter({ role: "client", text: "bytes" } as AdopterOptions), /`text`/],
    [() => adopt({} as Duplex, "client"), /`stream`/],
    [() => adopt(stream, "client", {}, { head: "text" as never }), /`head` to be bytes/],
    [() => adopt(stream, "client", {}, { compression: {} as never }), /`handshake.compression`/],
    [() => adopter.adopt(stream, none, {} as never, HANDSHAKE), /`handler.onMessage` to be a function/],
    [() => adopter.adopt(stream, none, null as never, HANDSHAKE), /`handler.onMessage` to be a function/],
    [() => adopter.adopt(stream, none, new Recorder(), null as never), /`handshake.compression`/],
  ];
  for (const [call, message] of rejected) {
    assert.throws(call, InvalidArgumentError);
    assert.throws(call, message);
  }
});
