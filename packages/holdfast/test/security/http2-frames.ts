// Builds HTTP/2 frames, valid or as invalid as a test needs (RFC 9113 section 4.1), and a client that sends them.

import { RawClient } from "holdfast-testkit";

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array | string = "") {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export const SETTINGS = http2Frame(TYPE.settings, 0, 0);
export const SETTINGS_ACK = http2Frame(TYPE.settings, 1, 0);

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A header block of unindexed literals, without Huffman coding (RFC 7541 section 6.2.2). */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length: number[] = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.of(...length, rest), bytes]);
}

/** The fields of an extended CONNECT (RFC 8441 section 5); the fields in `more` replace or extend them. */
export function upgradeFields(
  more: readonly (readonly [string, string])[] = [],
  authority: string | null = "localhost",
): (readonly [string, string])[] {
  return [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "https"],
    [":path", "/"],
    ...(authority === null ? [] : [[":authority", authority] as const]),
    ["sec-websocket-version", "13"],
    ...more,
  ];
}

export function upgradeFrame(stream: number, fields = upgradeFields()): Buffer {
  return http2Frame(TYPE.headers, END_HEADERS, stream, headerBlock(fields));
}

/** A client that has sent the HTTP/2 preface. */
export async function http2Attacker(options: Parameters<typeof RawClient.connect>[0]): Promise<RawClient> {
  const { tls } = options;
  const client = await RawClient.connect({
    ...options,
    ...(tls === undefined ? {} : { tls: { ...tls, ALPNProtocols: ["h2"] } }),
  });
  client.write(Buffer.concat([PREFACE, SETTINGS]));
  return client;
}
