// Messages that an extension encodes on their way out, such as permessage-deflate (RFC 7692). One that was encoded has
// to be sent, in its place: the extension has counted on it.

import type { MessageExtension } from "../../protocol/extension.js";
import { RESERVED_BITS } from "../../shared/opcode.js";
import type { Protocol } from "../../protocol/protocol.js";
import type { SendSettings } from "../../connection/message-transport.js";
import type { Outbox } from "./outbox.js";
import type { SharedFrames } from "./shared-frames.js";

/** How a message that is on its way is followed. */
export type Tracking = Pick<SendSettings, "receipt" | "signal">;

/** Nobody takes the message back, or asks when it leaves. */
export const UNTRACKED: Tracking = { signal: null, receipt: null };

/** Whether a message of up to `size` bytes goes by way of the extension. */
export function mayEncode(
  extension: MessageExtension,
  size: number,
  message: { readonly mayEncode: boolean },
): boolean {
  return message.mayEncode && size >= extension.threshold;
}

export function sendEncoded(
  outbox: Outbox,
  protocol: Protocol,
  opcode: number,
  payload: Uint8Array,
  tracking: Tracking,
): Promise<void> {
  const frame = protocol.sendEncoded(opcode, payload);
  if (frame instanceof Promise) return outbox.sendLater(frame, payload.length, tracking);
  return outbox.sendMadeFrame(frame, (frame[0] & RESERVED_BITS) !== 0, tracking);
}

/** Sends a message that others send as well: encoded once for all whose extension can share what it makes. */
export function sendSharedEncoded(
  outbox: Outbox,
  protocol: Protocol,
  extension: MessageExtension,
  message: SharedFrames,
): void {
  const { sharing } = extension;
  if (sharing === undefined) {
    void sendEncoded(outbox, protocol, message.opcode, message.payload, UNTRACKED);
    return;
  }
  const frame = message.encodedFrame(extension, sharing);
  sharing.noteShared(message.payload);
  if (frame instanceof Promise) void outbox.sendLater(frame, message.size, UNTRACKED);
  else outbox.sendMadeShared(frame);
}
