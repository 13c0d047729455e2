// Cases modelled on those of the testsuite that are hard on a client: many fragments with pings in between,
// large messages (categories 2, 5 and 9), and compression with all agreements (12 and 13).

import assert from "node:assert/strict";
import { on } from "node:events";
import type { PerMessageDeflateOptions, WebSocket } from "ws";
import type { FuzzingCase } from "./fuzzing-server.js";

const MIB = 1024 * 1024;

export function allCases(): readonly FuzzingCase[] {
  return [
    ...[0, 125, 126, 127, 128, 65_535, 65_536].flatMap((size) => [
      echoes(`text of ${size} bytes`, [textOf(size)]),
      echoes(`binary of ${size} bytes`, [bytesOf(size)]),
    ]),
    pings("ten pings in a row", 10),
    fragments("fragments with pings between them", textOf(100), 10, true),
    fragments("64 KiB in fragments of 64 bytes", bytesOf(64 * 1024), 64, false),
    fragments("4 MiB in fragments of 64 KiB", textOf(4 * MIB), 64 * 1024, true),
    echoes("16 MiB of text", [textOf(16 * MIB)]),
    echoes("16 MiB of bytes", [bytesOf(16 * MIB)]),
    echoes(
      "2000 small messages",
      Array.from({ length: 2000 }, (_, index) => textOf(index % 100)),
    ),
    fragments("one message in small pieces", textOf(1024), 1, false),
    ...offers().flatMap((compression) => compressed(compression)),
    echoes("16 MiB, compressed", [textOf(16 * MIB)], { threshold: 0 }),
  ];
}

/**
 * Each window size in each direction, with and without context takeover: those of category 13, and all sizes
 * in between.
 */
function offers(): readonly PerMessageDeflateOptions[] {
  const windows = [9, 10, 11, 12, 13, 14, 15];
  return [
    {},
    ...[true, false].flatMap((forgets) =>
      windows.flatMap((bits) => [
        { serverNoContextTakeover: forgets, serverMaxWindowBits: bits },
        { clientNoContextTakeover: forgets, clientMaxWindowBits: bits },
      ]),
    ),
  ];
}

function compressed(compression: PerMessageDeflateOptions): readonly FuzzingCase[] {
  const messages = [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].flatMap((size) => [
    textOf(size),
    bytesOf(size),
    textOf(size),
  ]);
  return [
    echoes(`compressed with ${JSON.stringify(compression)}`, messages, { ...compression, threshold: 0 }),
  ];
}

type Content = string | Buffer;

/** Sends all messages at once, and expects each of them back. */
function echoes(
  name: string,
  messages: readonly Content[],
  compression: PerMessageDeflateOptions | false = false,
): FuzzingCase {
  return {
    name,
    compression,
    run: async (socket) => {
      assert.equal(
        socket.extensions.startsWith("permessage-deflate"),
        compression !== false,
        socket.extensions,
      );
      const arriving = arrivals(socket);
      for (const message of messages) socket.send(message);
      for (const message of messages) assertSame(await arriving.next(), message);
    },
  };
}

function pings(name: string, count: number): FuzzingCase {
  return {
    name,
    compression: false,
    run: async (socket) => {
      const pongs = on(socket, "pong");
      for (let index = 0; index < count; index++) socket.ping(`payload-${index}`);
      for (let index = 0; index < count; index++) {
        const [payload] = (await pongs.next()).value as [Buffer];
        assert.equal(payload.toString(), `payload-${index}`);
      }
    },
  };
}

function fragments(name: string, message: Content, size: number, hasPings: boolean): FuzzingCase {
  return {
    name,
    compression: false,
    run: async (socket) => {
      const arriving = arrivals(socket);
      for (let at = 0; at < message.length; at += size) {
        socket.send(message.slice(at, at + size), { fin: at + size >= message.length });
        if (hasPings) socket.ping(String(at));
      }
      assertSame(await arriving.next(), message);
    },
  };
}

interface Arrivals {
  next(): Promise<Content>;
}

function arrivals(socket: WebSocket): Arrivals {
  const messages = on(socket, "message", { close: ["close"] });
  return {
    next: async () => {
      const next: IteratorResult<unknown> = await messages.next();
      assert(next.done !== true, "The client ended the connection");
      const [data, isBinary] = next.value as [Buffer, boolean];
      return isBinary ? data : data.toString("utf8");
    },
  };
}

/** `assert.equal` would put both whole messages into its error. */
function assertSame(got: Content, expected: Content): void {
  const isSame =
    typeof got === "string" ? got === expected : Buffer.compare(got, Buffer.from(expected)) === 0;
  assert(isSame && typeof got === typeof expected, `Expected ${expected.length} back, got ${got.length}`);
}

const WORDS = Array.from({ length: 997 }, (_, index) => ((index * 2_654_435_761) >>> 0).toString(36)).join(
  " ",
);

/** Moderately compressible text of `size` bytes. */
function textOf(size: number): string {
  return WORDS.repeat(Math.ceil(size / WORDS.length)).slice(0, size);
}

/** Bytes that hardly compress. */
function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0, state = 1; index < size; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
