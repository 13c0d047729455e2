import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { connect, serve } from "../../../build/index.js";
import { eventually } from "holdfast-testkit";
import type { ByteStreamHandler } from "../../../build/connection/ports.js";
import { openWithSharedBuffer } from "../../../build/transport/node/shared-read-buffer.js";
import { SocketByteStream } from "../../../build/transport/node/socket-byte-stream.js";

const until = (isTrue: () => boolean) => eventually(isTrue, "the events of the socket");

const server = createServer({ noDelay: true });

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

after(() => void server.close());

/** A socket that uses the shared read buffer, and its other end. */
async function openPair(): Promise<{ readonly socket: Socket; readonly peer: Socket }> {
  const { port } = server.address() as AddressInfo; // The server listens on TCP.
  const arrival = once(server, "connection") as Promise<[Socket]>;
  const socket = openWithSharedBuffer((onread) =>
    connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true, ...onread }),
  );
  const [peer] = await arrival;
  await once(socket, "connect");
  return { socket, peer };
}

/** Records its events, with the chunks as text. */
class Listener implements ByteStreamHandler {
  readonly told: string[] = [];

  onChunk(chunk: Uint8Array): void {
    this.told.push(`own ${Buffer.from(chunk).toString()}`);
  }

  onSharedChunk(chunk: Uint8Array): boolean {
    this.told.push(`lent ${Buffer.from(chunk).toString()}`);
    return false;
  }

  onEof(): void {
    this.told.push("eof");
  }

  onError(error: Error): void {
    this.told.push(error.message);
  }

  onDrain(): void {
    this.told.push("drain");
  }

  onClosed(): void {
    this.told.push("closed");
  }
}

test("B10: with the shared read buffer, data read before there is a reader is delivered first", async () => {
  const { socket, peer } = await openPair();
  peer.write("early");
  await until(() => socket.bytesRead === 5);
  const listener = new Listener();
  const transport = new SocketByteStream(socket);
  transport.start(listener);
  assert.deepEqual(listener.told, [], "never inside of the call");
  await until(() => listener.told.length === 1);
  peer.end("late");
  await until(() => listener.told.includes("eof"));
  assert.deepEqual(listener.told, ["own early", "lent late", "eof"]);
  transport.destroy();
  await until(() => listener.told.includes("closed"));
});

test("E4: a socket with the shared read buffer stops reading while it is paused, and resumes", async () => {
  const { socket, peer } = await openPair();
  const listener = new Listener();
  const transport = new SocketByteStream(socket);
  transport.start(listener);
  peer.write("one");
  await until(() => listener.told.length === 1);
  transport.pause();
  peer.write("two");
  await new Promise((resolve) => peer.write("", resolve));
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(listener.told, ["lent one"]);
  transport.resume();
  await until(() => listener.told.length === 2);
  assert.deepEqual(listener.told, ["lent one", "lent two"]);
  peer.destroy();
  transport.destroy();
});

test("E3: a reader that keeps chunks gets copies, and one that had to copy much gets chunks of its own", async () => {
  const { socket, peer } = await openPair();
  const listener = new Listener();
  const transport = new SocketByteStream(socket);
  transport.start({
    onChunk: (chunk) => listener.onChunk(chunk),
    onEof: () => listener.onEof(),
    onError: (error) => listener.onError(error),
    onDrain: () => listener.onDrain(),
    onClosed: () => listener.onClosed(),
  });
  peer.write("copied");
  await until(() => listener.told.length === 1);
  listener.onSharedChunk = () => listener.told.push("much") > 0;
  transport.start(listener);
  peer.write("a");
  await until(() => listener.told.length === 2);
  peer.write("b");
  await until(() => listener.told.length === 3);
  peer.write("c");
  await until(() => listener.told.length === 4);
  assert.deepEqual(listener.told, ["own copied", "much", "own b", "much"], "small chunks are no bulk");
  peer.destroy();
  transport.destroy();
});

test("E3: messages that a client keeps stay what they were, on a socket with the shared read buffer", async () => {
  const sent = Array.from({ length: 300 }, (_, index) =>
    new Uint8Array(1 + ((index * 37) % 3000)).fill(index),
  );
  await using echo = await serve((connection) => connection.forEach((message) => connection.send(message)), {
    host: "127.0.0.1",
  });
  const connection = await connect(echo.url);
  const kept: unknown[] = [];
  const all = connection.forEach((message) => {
    if (kept.push(message) === sent.length) void connection.close();
  });
  for (const message of sent) await connection.send(message);
  await all;
  assert.deepEqual(kept, sent);
});
