// An upload of any size in one message: it never is in memory as a whole, at either end. The server reports its progress.
// The sender keeps pace with the receiver by itself; you can pause it too.
//
//   npm run example -- upload                      50 MB of made-up data; type "pause" and "resume"
//   npm run example -- upload --file FILE
//   npm run example -- upload --megabytes 500

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { connect, serve, type Server, type ServerConnection } from "holdfast";

const { values } = parseArgs({
  options: { file: { type: "string" }, megabytes: { type: "string", default: "50" } },
});
const MEGABYTE = 1_000_000;
const MAX_UPLOAD = 10_000 * MEGABYTE;

const folder = await mkdtemp(join(tmpdir(), "upload-"));
const server = await startServer();
const connection = await connect(server.url);

const { file } = values;
const size = file === undefined ? Number(values.megabytes) * MEGABYTE : (await stat(file)).size;
const sent = createHash("sha256");
let isPaused = false;
let onResume = (): void => undefined;

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  isPaused = line === "pause";
  if (!isPaused) onResume();
});

const base = process.memoryUsage().rss;
let peak = base;
const sending = connection.send(chunks(file === undefined ? madeUp(size) : createReadStream(file)));
for await (const message of connection) {
  peak = Math.max(peak, process.memoryUsage().rss);
  const { received, sha256 } = JSON.parse(String(message)) as Report;
  console.log(`received ${Math.floor(received / MEGABYTE)} of ${Math.floor(size / MEGABYTE)} MB`);
  if (sha256 === undefined) continue;
  await sending;
  console.log(sha256 === sent.digest("hex") ? "The server has the same data." : "The server has other data!");
  break;
}
console.log(`Memory: ${((peak - base) / MEGABYTE).toFixed(1)} MB more than before the upload, at most.`);
input.close();
await connection.close();
await server.close();
await rm(folder, { recursive: true });

/** The progress of an upload; the last report has the hash. */
interface Report {
  readonly received: number;
  readonly sha256?: string;
}

/** The chunks to send: each waits until the one before it is on its way, and while the upload is paused. */
async function* chunks(source: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer, void> {
  for await (const chunk of source) {
    if (isPaused) {
      console.log("paused");
      await new Promise<void>((resolve) => (onResume = resolve));
      console.log("resumed");
    }
    sent.update(chunk);
    yield chunk;
  }
}

function* madeUp(bytes: number): Generator<Buffer, void> {
  const block = Buffer.alloc(64 * 1024, "made up ");
  for (let left = bytes; left > 0; left -= block.length)
    yield block.subarray(0, Math.min(left, block.length));
}

function startServer(): Promise<Server> {
  return serve((accepted) => receiveUpload(accepted, join(folder, accepted.id)), { host: "127.0.0.1" });
}

/** Writes the next message to a file. Waiting for the disk slows the sender down. */
async function receiveUpload(uploader: ServerConnection, path: string): Promise<void> {
  const target = createWriteStream(path);
  const hash = createHash("sha256");
  let received = 0;
  let reported = 0;
  const report = (last: Partial<Report> = {}): Promise<void> =>
    uploader.send(JSON.stringify({ received, ...last }));
  for await (const piece of uploader.recvStream({ maxSize: MAX_UPLOAD })) {
    const bytes = Buffer.from(piece as Uint8Array);
    hash.update(bytes);
    received += bytes.length;
    if (!target.write(bytes)) await once(target, "drain");
    if (received - reported >= 5 * MEGABYTE) {
      reported = received;
      await report();
    }
  }
  target.end();
  await once(target, "finish");
  await report({ sha256: hash.digest("hex") });
  await uploader.closed;
}
