import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { closePayload } from "holdfast-testkit";
import { FrameDescriber } from "../../../build/connection/log/describe-frame.js";

interface FrameSketch {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly isFinal?: boolean;
  readonly isCompressed?: boolean;
  /** Only if it exceeds the shown part. */
  readonly length?: number;
}

function describeAll(sketches: readonly FrameSketch[]): readonly string[] {
  const describer = new FrameDescriber();
  return sketches.map(({ payload: content = "", isFinal = true, isCompressed = false, ...sketch }) => {
    const payload = new Uint8Array(Buffer.from(content));
    return describer.describe({ length: payload.length, isFinal, isCompressed, payload, ...sketch });
  });
}

const ROWS: readonly (readonly [what: string, frames: readonly FrameSketch[], lines: readonly string[]])[] = [
  ["text", [{ opcode: 1, payload: "Hello" }], ["TEXT 'Hello' [5 bytes]"]],
  ["other scripts", [{ opcode: 1, payload: "Grüße 👋" }], ["TEXT 'Grüße 👋' [12 bytes]"]],
  ["one byte", [{ opcode: 1, payload: "x" }], ["TEXT 'x' [1 byte]"]],
  ["no text", [{ opcode: 1 }], ["TEXT '' [0 bytes]"]],
  ["bytes", [{ opcode: 2, payload: Uint8Array.of(0, 1, 254) }], ["BINARY 00 01 fe [3 bytes]"]],
  ["no bytes", [{ opcode: 2 }], ["BINARY [0 bytes]"]],
  ["quotes", [{ opcode: 1, payload: String.raw`it's a \ ` }], [String.raw`TEXT 'it\'s a \\ ' [9 bytes]`]],
  [
    "what would begin a line, move a cursor or turn the text",
    [{ opcode: 1, payload: "a\r\nb\u001b[2J\u009b1m\u2028\u202e" }],
    [String.raw`TEXT 'a\u000d\u000ab\u001b[2J\u009b1m\u2028\u202e' [18 bytes]`],
  ],
  [
    "a text of 64 characters",
    [{ opcode: 1, payload: "é".repeat(64) }],
    [`TEXT '${"é".repeat(64)}' [128 bytes]`],
  ],
  ["a longer one", [{ opcode: 1, payload: "👋".repeat(65) }], [`TEXT '${"👋".repeat(64)}'… [260 bytes]`]],
  [
    "one that is not shown completely",
    [{ opcode: 1, payload: "x".repeat(4096), length: 1_000_000 }],
    [`TEXT '${"x".repeat(64)}'… [1000000 bytes]`],
  ],
  [
    "24 bytes, and 25",
    [24, 25].map((length) => ({ opcode: 2, payload: new Uint8Array(length) })),
    [`BINARY ${"00 ".repeat(24)}[24 bytes]`, `BINARY ${"00 ".repeat(24)}… [25 bytes]`],
  ],
  [
    "fragments of text, a character cut in two",
    [
      { opcode: 1, payload: Uint8Array.of(0x48, 0xc3), isFinal: false },
      { opcode: 9 },
      { opcode: 0, payload: Uint8Array.of(0xbc), isFinal: false },
      { opcode: 0 },
    ],
    [
      "TEXT 'H\ufffd' [2 bytes, continued]",
      "PING [0 bytes]",
      "CONTINUATION '\ufffd' [text, 1 byte, continued]",
      "CONTINUATION '' [text, 0 bytes]",
    ],
  ],
  [
    "fragments of bytes",
    [
      { opcode: 2, payload: Uint8Array.of(1), isFinal: false },
      { opcode: 0, payload: Uint8Array.of(2) },
    ],
    ["BINARY 01 [1 byte, continued]", "CONTINUATION 02 [binary, 1 byte]"],
  ],
  [
    "compressed fragments, and then a plain message",
    [
      { opcode: 1, payload: Uint8Array.of(0xf2, 0x48), isFinal: false, isCompressed: true },
      { opcode: 0, payload: Uint8Array.of(0xcd, 0) },
      { opcode: 1, payload: "x" },
    ],
    [
      "TEXT f2 48 [compressed, 2 bytes, continued]",
      "CONTINUATION cd 00 [compressed, text, 2 bytes]",
      "TEXT 'x' [1 byte]",
    ],
  ],
  [
    "a Ping and a Pong of bytes",
    [9, 10].map((opcode) => ({ opcode, payload: Uint8Array.of(0x71, 0x64, 0xb3, 0x5d) })),
    ["PING 71 64 b3 5d [binary, 4 bytes]", "PONG 71 64 b3 5d [binary, 4 bytes]"],
  ],
  [
    "a Ping to be read",
    [{ opcode: 9, payload: "are you there?" }],
    ["PING 'are you there?' [text, 14 bytes]"],
  ],
  [
    "Close",
    [
      { opcode: 8, payload: closePayload(1011, "keepalive ping timeout") },
      { opcode: 8, payload: closePayload(1000) },
      { opcode: 8 },
      { opcode: 8, payload: closePayload(4000, "a\nb") },
      { opcode: 8, payload: closePayload(999) },
    ],
    [
      "CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]",
      "CLOSE 1000 (OK) [2 bytes]",
      "CLOSE 1005 (no status received [internal]) [0 bytes]",
      String.raw`CLOSE 4000 (private use) a\u000ab [5 bytes]`,
      "CLOSE 999 (unknown) [2 bytes]",
    ],
  ],
  [
    "what RFC 6455 does not know",
    [
      { opcode: 11, payload: Uint8Array.of(1) },
      { opcode: 2, length: Infinity },
    ],
    ["OPCODE 0xb 01 [1 byte]", "BINARY … [2^53 or more bytes]"],
  ],
];

describe("The line of a frame", () => {
  for (const [what, frames, lines] of ROWS) {
    test(`J1: ${what}`, () => assert.deepEqual(describeAll(frames), lines));
  }
});
