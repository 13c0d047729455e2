// A connection over a transport that costs nothing, so that its own cost can be measured: the clock stands
// still, and the socket accepts and forgets everything.

import { createHook } from "node:async_hooks";
import { PerformanceObserver } from "node:perf_hooks";
import { frame, OPCODE } from "holdfast-testkit";
import { createConnection, type Connection } from "../../build/connection/connection.js";
import { coreOf } from "../../build/connection/core-of.js";
import { heartbeatKeepalive } from "../../build/connection/keepalive/heartbeat-keepalive.js";
import { FrameRuntime } from "../../build/transport/frames/frame-runtime.js";
import { overFrames } from "../../build/transport/frames/frame-transport.js";
import { checkConnectionOptions } from "../../build/connection/options.js";
import { HoldfastError } from "../../build/shared/errors.js";
import { nodeRuntime } from "../../build/transport/node/node-runtime.js";
import type { Clock, Random, ByteStream, ByteStreamHandler } from "../../build/connection/ports.js";

const clock: Clock = {
  now: () => 1,
  wallNow: () => 1,
  setTimer: () => () => undefined,
  afterPoll: () => undefined,
  atTurnEnd: (callback) => nodeRuntime().clock.atTurnEnd(callback),
};

const random: Random = { fill: (target) => void target.fill(7) };

const runtime = new FrameRuntime(clock, random);
const settings = checkConnectionOptions({});
const headers = new Headers();
const handshake = {
  url: "ws://example.com/",
  request: { method: "GET", target: "/", headers },
  response: { status: 101, headers },
  subprotocol: null,
  extensions: [],
};

export class LeanTransport implements ByteStream {
  readonly remoteAddress = null;
  readonly localAddress = null;
  readonly bufferedAmount = 0;
  readonly isBlocked = false;
  handler: ByteStreamHandler | null = null;
  writes = 0;
  bytes = 0;

  start(handler: ByteStreamHandler): void {
    this.handler = handler;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.writes++;
    for (const each of chunks) this.bytes += each.length;
    return true;
  }

  readonly pause = nothing;
  readonly resume = nothing;
  readonly end = nothing;
  readonly destroy = nothing;
}

function nothing(): void {
  // It costs nothing.
}

/** A server's connection with the default options, including keepalive. */
export function openLean(): { readonly connection: Connection; readonly transport: LeanTransport } {
  const transport = new LeanTransport();
  const wire = overFrames({
    ...{ runtime, stream: transport, role: "server", settings, extension: null },
    ...{ preface: null, rest: new Uint8Array() },
  } as const);
  const connection = createConnection({
    keepalive: heartbeatKeepalive,
    runtime,
    transport: wire,
    settings,
    handshake,
    owner: null,
  });
  coreOf(connection).start();
  return { connection, transport };
}

/** Messages per chunk. */
export const BATCH = 100;
/** Payload bytes per message. */
export const MESSAGE_SIZE = 64;
const template = Buffer.concat(
  Array.from({ length: BATCH }, () =>
    frame({
      opcode: OPCODE.text,
      payload: Buffer.alloc(MESSAGE_SIZE, "text"),
      mask: Uint8Array.of(1, 2, 3, 4),
    }),
  ),
);
const chunk = Buffer.alloc(template.length);

/** A chunk of `BATCH` text messages of 64 bytes arrives, in memory that is reused. */
export function deliverBatch({ handler }: LeanTransport): void {
  chunk.set(template);
  handler?.onChunk(chunk);
}

const close = frame({
  opcode: OPCODE.close,
  payload: Buffer.of(0x03, 0xe8),
  mask: Uint8Array.of(1, 2, 3, 4),
});

/** The peer closes with 1000, and the socket ends. */
export function deliverClose({ handler }: LeanTransport): void {
  handler?.onChunk(Buffer.from(close));
  handler?.onClosed();
}

/** The number of promises created during `work`, by any code. */
export async function countPromises(work: () => Promise<void> | void): Promise<number> {
  let count = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === "PROMISE") count++;
    },
  });
  hook.enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return count;
}

/** The number of the library's errors created during `work`. */
export async function countErrors(work: () => Promise<void>): Promise<number> {
  let count = 0;
  class CountedError extends Error {
    constructor(...parameters: ConstructorParameters<typeof Error>) {
      super(...parameters);
      count++;
    }
  }
  Object.setPrototypeOf(HoldfastError, CountedError); // The function that `super` calls.
  try {
    await work();
  } finally {
    Object.setPrototypeOf(HoldfastError, Error);
  }
  return count;
}

/** Bytes that `work` allocates on the heap. The young generation must be large enough for all of them. */
export function countBytes(work: () => void): number {
  const observer = new PerformanceObserver(() => undefined);
  globalThis.gc?.();
  observer.observe({ entryTypes: ["gc"] });
  const before = process.memoryUsage().heapUsed;
  work();
  const bytes = process.memoryUsage().heapUsed - before;
  const collections = observer.takeRecords().length;
  observer.disconnect();
  if (collections > 0) throw new Error("Expected no garbage collection during the measurement, got one");
  return bytes;
}
