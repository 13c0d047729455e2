import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { zlibCalls } from "../../../build/protocol/deflate/chosen-calls.js";
import { LiveCalls } from "../../../build/protocol/deflate/live-calls.js";
import { endsOf } from "./agreements.js";
import { contentOf } from "./contents.js";

const message = contentOf("text", 1500);

function keptStreams(): number {
  const calls = zlibCalls();
  assert(calls instanceof LiveCalls);
  return calls.size;
}

test("E8: a connection that ends frees its stream", () => {
  const { client, server } = endsOf();
  const before = keptStreams();
  const encoded = client.encode(message);
  server.decode(encoded as Uint8Array, 9999);
  assert.equal(keptStreams(), before + 2);
  client.end();
  server.end();
  // The one that inflates serves all connections.
  assert.equal(keptStreams(), before + 1);
});

test("E8: a message that is not sent compressed, or is compressed elsewhere, ends the stream of the connection", () => {
  const { client } = endsOf();
  const noise = contentOf("noise", 1500);
  const uses = [
    () => client.encode(noise),
    () => client.noteShared(message),
    () => client.encode(contentOf("text", 40_000)),
  ];
  for (const use of uses) {
    client.encode(message);
    const before = keptStreams();
    void use();
    assert.equal(keptStreams(), before - 1);
  }
});

test("E8: 1,000 connections that compressed and ended leave no native memory, and idle ones only the newest streams", () => {
  const open = () => {
    const { client } = endsOf({}, { memLevel: 9 });
    client.encode(message);
    return client;
  };
  for (const client of Array.from({ length: 100 }, open)) client.end();
  const before = process.memoryUsage().external;
  for (let count = 0; count < 1000; count++) open().end();
  const ended = process.memoryUsage().external - before;
  assert(ended < 2 * 1024 * 1024, `${ended} bytes`);
  const idle = Array.from({ length: 1000 }, open);
  // Each stream takes some 400 KB; the dictionaries of all connections 1.5 MB.
  const kept = process.memoryUsage().external - before;
  assert(kept > 0 && kept < 40 * 1024 * 1024, `${kept} bytes`);
  for (const client of idle) client.end();
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
