// Formats a frame as a line of a log: `TEXT 'Hello' [5 bytes]`. The peer's bytes can neither begin a new line nor
// control the terminal.

import { describeClose, NO_STATUS } from "../../shared/close-code.js";
import { escapeControls } from "../../shared/control-characters.js";
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from "../../shared/opcode.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";

/** The number of characters shown of a longer text; `…` follows. */
const LONGEST_TEXT = 64;
/** The number of bytes shown of a longer payload. */
const MOST_BYTES = 24;

/** Describes the frames of one direction, in order: earlier frames determine what a continuation frame continues. */
export class FrameDescriber {
  /** The message whose fragments are being sent. */
  #message: Pick<ObservedFrame, "isCompressed" | "opcode"> = { opcode: BINARY, isCompressed: false };

  describe(frame: ObservedFrame): string {
    const { opcode, length } = frame;
    if (opcode === TEXT || opcode === BINARY) this.#message = frame;
    const size = sizeOf(length);
    switch (opcode) {
      case CLOSE:
        return `CLOSE ${describeClose(readClose(frame.payload))} [${size}]`;
      case TEXT:
      case BINARY:
      case CONTINUATION: {
        const { isCompressed } = this.#message;
        const isText = this.#message.opcode === TEXT;
        const notes = [
          ...(isCompressed ? ["compressed"] : []),
          // The frame's name already says it.
          ...(opcode === CONTINUATION ? [isText ? "text" : "binary"] : []),
          size,
          ...(frame.isFinal ? [] : ["continued"]),
        ];
        return line(NAMES[opcode], isText && !isCompressed ? quoted(frame) : hex(frame), notes);
      }
      case PING:
      case PONG: {
        if (length === 0) return line(NAMES[opcode], "", [size]);
        const isText = isReadable(frame.payload);
        return line(NAMES[opcode], isText ? quoted(frame) : hex(frame), [isText ? "text" : "binary", size]);
      }
      default:
        return line(`OPCODE 0x${opcode.toString(16)}`, hex(frame), [size]);
    }
  }
}

const NAMES = {
  [CONTINUATION]: "CONTINUATION",
  [TEXT]: "TEXT",
  [BINARY]: "BINARY",
  [PING]: "PING",
  [PONG]: "PONG",
} as const;

function sizeOf(length: number): string {
  if (length === 1) return "1 byte";
  return `${Number.isFinite(length) ? length : "2^53 or more"} bytes`;
}

function line(name: string, payload: string, notes: readonly string[]): string {
  return `${name}${payload === "" ? "" : ` ${payload}`} [${notes.join(", ")}]`;
}

/** Invalid UTF-8, such as a character split between two fragments, shows as U+FFFD. */
function quoted({ payload, length }: ObservedFrame): string {
  // A character has at most four bytes. Cutting one in half affects only characters beyond those shown.
  const characters = Array.from(decoder.decode(payload.subarray(0, 4 * LONGEST_TEXT + 4)));
  const isCut = characters.length > LONGEST_TEXT || payload.length < length;
  const shown = characters
    .slice(0, LONGEST_TEXT)
    .join("")
    .replaceAll(/['\\]/g, String.raw`\$&`);
  return `'${escapeControls(shown)}'${isCut ? "…" : ""}`;
}

function hex({ payload, length }: ObservedFrame): string {
  const shown = Array.from(payload.subarray(0, MOST_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  return [...shown, ...(length > shown.length ? ["…"] : [])].join(" ");
}

/** Whether the payload of a Ping is readable: printable ASCII. */
function isReadable(payload: Uint8Array): boolean {
  return payload.every((byte) => byte >= 0x20 && byte < 0x7f);
}

/** Reads as much of a Close as possible: it may violate the protocol. */
function readClose(payload: Uint8Array): { code: number; reason: string } {
  if (payload.length < 2) return NO_STATUS;
  return { code: (payload[0] << 8) | payload[1], reason: decoder.decode(payload.subarray(2)) };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
