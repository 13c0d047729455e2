// Turns the library's errors about received frames into those of `ws`: their classes, messages and codes.

type ErrorClass = new (message: string) => Error;

interface Translation {
  /** Matches the library's message; its groups are arguments of `text`. */
  readonly pattern: RegExp;
  readonly type: ErrorClass;
  readonly text: (...groups: readonly string[]) => string;
  readonly code: string;
}

/** The error that `ws` emits in place of `error`, which becomes its cause. */
export function frameError(error: Error): Error {
  // A message that cannot be inflated: `ws` emits the error of zlib.
  if (error.message.startsWith("Expected compressed data")) {
    return Object.assign(new Error("invalid compressed data"), {
      code: "Z_DATA_ERROR",
      errno: -3,
      cause: error,
    });
  }
  for (const { pattern, type, text, code } of TRANSLATIONS) {
    const match = pattern.exec(error.message);
    if (match !== null) return describe(new type(text(...match.slice(1))), code, error);
  }
  return error;
}

function describe(translated: Error, code: string, cause: Error): Error {
  return Object.assign(translated, { code, cause });
}

function invalid(
  pattern: RegExp,
  code: string,
  text: Translation["text"],
  type: ErrorClass = RangeError,
): Translation {
  return { pattern, type, code, text: (...groups) => `Invalid WebSocket frame: ${text(...groups)}` };
}

const TRANSLATIONS: readonly Translation[] = [
  invalid(/^Expected a masked frame/, "WS_ERR_EXPECTED_MASK", () => "MASK must be set"),
  invalid(/^Expected an unmasked frame/, "WS_ERR_UNEXPECTED_MASK", () => "MASK must be clear"),
  invalid(
    /^Expected no reserved bits, got .*RSV[23]/,
    "WS_ERR_UNEXPECTED_RSV_2_3",
    () => "RSV2 and RSV3 must be clear",
  ),
  invalid(/^Expected no reserved bits/, "WS_ERR_UNEXPECTED_RSV_1", () => "RSV1 must be clear"),
  invalid(
    /^Expected a known opcode, got (0x[0-9a-f]+)/,
    "WS_ERR_INVALID_OPCODE",
    (opcode) => `invalid opcode ${Number(opcode)}`,
  ),
  invalid(/^Expected the first frame of a message/, "WS_ERR_INVALID_OPCODE", () => "invalid opcode 0"),
  invalid(
    /^Expected the next fragment of a message, got .*\((text|binary)\)/,
    "WS_ERR_INVALID_OPCODE",
    (kind) => `invalid opcode ${kind === "text" ? 1 : 2}`,
  ),
  invalid(/^Expected a control frame in one piece/, "WS_ERR_EXPECTED_FIN", () => "FIN must be set"),
  invalid(
    /^Expected (?:at most 125 bytes in a control frame|a Close of 0 or 2 to 125 bytes), got (.+)\.$/,
    "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
    (length) => `invalid payload length ${length}`,
  ),
  invalid(
    /^Expected a valid close code, got (\d+)/,
    "WS_ERR_INVALID_CLOSE_CODE",
    (code) => `invalid status code ${code}`,
  ),
  invalid(/^Expected UTF-8 in a/, "WS_ERR_INVALID_UTF8", () => "invalid UTF-8 sequence", Error),
  {
    pattern: /^Expected a payload length with a first bit of 0|got 2\^53 or more/,
    type: RangeError,
    code: "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
    text: () => "Unsupported WebSocket frame: payload length > 2^53 - 1",
  },
  {
    pattern: /^Expected a message of at most|bytes? (?:after|when) (?:inflating|decompress)/,
    type: RangeError,
    code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
    text: () => "Max payload size exceeded",
  },
];
