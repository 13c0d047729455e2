import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { constants, createDeflateRaw } from "node:zlib";
import { zlibCalls } from "../../../build/protocol/deflate/chosen-calls.js";
import type { PermessageDeflate } from "../../../build/protocol/deflate/permessage-deflate.js";
import { LiveCalls } from "../../../build/protocol/deflate/live-calls.js";
import { ZlibHandle } from "../../../build/protocol/deflate/zlib-handle.js";
import { endsOf } from "./agreements.js";
import { contentOf } from "./contents.js";

const message = contentOf("text", 1500);

function keptStreams(): number {
  const calls = zlibCalls();
  assert(calls instanceof LiveCalls);
  return calls.size;
}

/** A client that has a stream of its own: it compressed two messages in a row. */
function busyClient(): PermessageDeflate {
  const { client } = endsOf();
  for (let count = 0; count < 2; count++) void client.encode(message);
  return client;
}

test("E8: a connection that compresses messages in a row gets a stream, and frees it when it ends", () => {
  const { client, server } = endsOf();
  const counts = [keptStreams()];
  for (let count = 0; count < 3; count++) {
    void server.decode(client.encode(message) as Uint8Array, 9999);
    counts.push(keptStreams());
  }
  for (const end of [client, server]) end.end();
  counts.push(keptStreams());
  // The stream that inflates serves all connections.
  const [before] = counts;
  assert.deepEqual(
    counts,
    [0, 1, 2, 2, 1].map((added) => before + added),
  );
});

test("E8: a message that is not sent compressed, or is compressed elsewhere, frees the stream of its connection", () => {
  const client = busyClient();
  const uses = [
    () => void client.encode(contentOf("noise", 1500)),
    () => void client.encode(contentOf("text", 40_000)),
    () => {
      client.noteShared(message);
    },
  ];
  for (const use of uses) {
    void client.encode(message);
    const before = keptStreams();
    use();
    assert.equal(keptStreams(), before - 1);
  }
  client.end();
});

test("E8: connections that take turns in large numbers get no streams", () => {
  const before = keptStreams();
  const clients = Array.from({ length: 100 }, () => endsOf().client);
  for (let count = 0; count < 3; count++) for (const client of clients) void client.encode(message);
  assert.equal(keptStreams(), before);
});

test("E8: 1,000 connections that compressed and ended leave no stream, and idle ones only the newest", () => {
  const before = keptStreams();
  for (let count = 0; count < 1000; count++) busyClient().end();
  assert.equal(keptStreams(), before);
  const idle = Array.from({ length: 1000 }, () => busyClient());
  assert.equal(keptStreams(), 64);
  for (const client of idle) client.end();
});

test("E8: streams that are closed leave no native memory", () => {
  const before = process.memoryUsage.rss();
  for (let count = 0; count < 2000; count++) {
    const stream = new ZlibHandle(createDeflateRaw({ memLevel: 9 }));
    stream.run(message, constants.Z_SYNC_FLUSH, 0, 9999);
    stream.close();
  }
  // They took more than 400 MB.
  const grown = process.memoryUsage.rss() - before;
  assert(grown < 150 * 1024 * 1024, `${grown} bytes`);
});

test("E8: kept streams do not keep the process alive", async () => {
  const { href } = new URL("../../../build/protocol/deflate/permessage-deflate.js", import.meta.url);
  const program = `
    const { PermessageDeflate } = await import(${JSON.stringify(href)});
    const agreed = { serverNoContextTakeover: false, clientNoContextTakeover: false, serverMaxWindowBits: 15, clientMaxWindowBits: 15 };
    const ends = [true, false].map((isServer) => new PermessageDeflate(isServer, agreed, { level: 6, memLevel: 8, threshold: 0 }));
    const decoded = ends[0].decode(ends[1].encode(Buffer.alloc(1000)), 1000);
    console.log(decoded.length);`;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
    timeout: 60_000,
  });
  assert.equal((await run).stdout, "1000\n");
});
