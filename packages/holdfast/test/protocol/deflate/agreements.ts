// Parameters, settings and connected ends for the tests of permessage-deflate.

import assert from "node:assert/strict";
import type { DeflateSettings } from "../../../build/protocol/deflate/negotiation.js";
import type { DeflateParameters } from "../../../build/protocol/deflate/parameters.js";
import { PermessageDeflate, type DeflateTuning } from "../../../build/protocol/deflate/permessage-deflate.js";
import { MessageTooBigError } from "../../../build/shared/errors.js";
import type { Decoded, Encoded } from "../../../build/protocol/extension.js";
import type { Told } from "../recorder.js";

/** The defaults of RFC 7692, without any limits. */
export const PLAIN: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

export const TUNING: DeflateTuning = { level: 6, memLevel: 5, threshold: 0 };

/** Maximum size of a decompressed message, in bytes. */
export const LIMIT = 64 * 1024 * 1024;

export function settingsOf(wanted: Partial<DeflateParameters> = {}): DeflateSettings {
  return { wanted: { ...PLAIN, ...wanted }, tuning: TUNING };
}

export interface Ends {
  readonly client: PermessageDeflate;
  readonly server: PermessageDeflate;
}

/** The two ends of a connection that agreed on this. */
export function endsOf(agreed: Partial<DeflateParameters> = {}, tuning: Partial<DeflateTuning> = {}): Ends {
  const parameters = { ...PLAIN, ...agreed };
  return {
    client: new PermessageDeflate(false, parameters, { ...TUNING, ...tuning }),
    server: new PermessageDeflate(true, parameters, { ...TUNING, ...tuning }),
  };
}

/** The compressed message, whether synchronously or in a thread. */
export async function encoded(end: PermessageDeflate, payload: Uint8Array): Promise<Uint8Array> {
  const bytes: Encoded = await end.encode(payload);
  assert(bytes !== null, "The message was left as it is");
  return bytes;
}

/** A message as sent: compressed, or uncompressed if that is shorter. */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

export async function packed(end: PermessageDeflate, message: Uint8Array): Promise<Packed> {
  const bytes = await end.encode(message);
  return bytes === null ? { bytes: message, isCompressed: false } : { bytes, isCompressed: true };
}

export function unpacked(end: PermessageDeflate, { bytes, isCompressed }: Packed): Promise<Decoded> {
  return isCompressed ? decoded(end, bytes) : Promise.resolve(bytes);
}

/** The decoded message, whether synchronously or in a thread; copied, since its memory may be larger. */
export async function decoded(
  end: PermessageDeflate,
  payload: Uint8Array,
  maxSize = LIMIT,
): Promise<Decoded> {
  const result = await end.decode(payload, maxSize);
  return result instanceof Uint8Array ? Uint8Array.from(result) : result;
}

/** Both directions, as RFC 7692 calls them. */
export const WAYS = [
  ["client", "server"],
  ["server", "client"],
] as const;

/** The failure of a message that inflates to more than the limit. */
export function inflatesTooFar(limit: number): Told {
  const message = `Expected a message of at most ${limit} bytes, got one that inflates to ${limit + 1} or more.`;
  return { type: "failure", failure: new MessageTooBigError(message, limit + 1, limit) };
}
