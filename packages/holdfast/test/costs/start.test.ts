import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

/** Serves one connection, and prints the modules of Node that have been loaded, and the growth of the heap in bytes. */
const PROGRAM = `
import { once } from "node:events";
import { connect } from "node:net";
const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
const before = heap();
const { serve } = await import(process.argv[1]);
const bytes = heap() - before;
const server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
  host: "127.0.0.1",
});
const socket = connect(server.port, "127.0.0.1");
socket.write(
  "GET / HTTP/1.1\\r\\nHost: localhost\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n",
);
await once(socket, "data");
socket.destroy();
await server.close();
const modules = process.moduleLoadList.filter((name) => name.startsWith("NativeModule ")).map((name) => name.slice(13));
console.log(JSON.stringify({ modules, bytes }));
`;

/** A server of plain WebSockets does not use these modules. */
const UNUSED = ["http", "http2", "https", "tls", "zlib", "worker_threads", "internal/deps/undici/undici"];

test("E5: a server of plain WebSockets loads little: its heap stays below the size from which V8 marks it often", async () => {
  const library = new URL("../../dist/index.js", import.meta.url).href;
  const flags = ["--expose-gc", "--input-type=module", "--eval", PROGRAM, library];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 60_000 });
  const { modules, bytes } = JSON.parse(stdout) as { modules: string[]; bytes: number };
  assert.deepEqual(
    UNUSED.filter((name) => modules.includes(name)),
    [],
  );
  assert(bytes < 4_000_000, `${bytes} bytes`); // Node 20: 2.9 MB, Node 24: 3.3.MB.
});
