// Both directions of a session, for either role: the state that outlives its links.

import { ReceiveLedger, type Acknowledge, type AckNeed } from "./receive-ledger.js";
import { SendLedger, type Token } from "./send-ledger.js";
import type { MemoryMeter } from "./session-memory.js";
import { writeSessionMessage, type SessionMessage, type SessionWindow } from "./wire.js";

export interface LedgerSettings {
  /** The limit of messages that this end may leave unconfirmed. */
  readonly window: SessionWindow;
  /** The limit of messages that the peer may leave unconfirmed, as far as known. */
  readonly peerWindow: SessionWindow;
  readonly acknowledge: Acknowledge;
  readonly meter: MemoryMeter;
}

/** The caller's task after a link message. */
export type LedgerAction =
  /** Messages were confirmed: resolve their sends. Senders may have room again. */
  | { readonly type: "confirmed"; readonly tokens: readonly Token[] }
  /** Acknowledge: see `AckNeed`. */
  | { readonly type: "ack"; readonly need: AckNeed }
  /** The peer violated the protocol: fail the link with 1002. `message` is a sentence. */
  | { readonly type: "violation"; readonly message: string };

/** The messages that either end may send on an attached link. */
export type LedgerMessage = Extract<SessionMessage, { readonly type: "ack" | "skip" | "want" }>;

export class SessionLedger {
  readonly outgoing: SendLedger;
  readonly incoming: ReceiveLedger;

  /** Counts the messages that are kept, and those that wait to be. */
  readonly meter: MemoryMeter;

  constructor({ window, peerWindow, acknowledge, meter }: LedgerSettings) {
    this.meter = meter;
    this.outgoing = new SendLedger(window, meter);
    this.incoming = new ReceiveLedger(peerWindow, acknowledge);
  }

  /** Whether everything is confirmed in both directions, so that two positions suffice for `restoreAtRest`. */
  get isAtRest(): boolean {
    return this.outgoing.isAtRest && this.incoming.isAtRest;
  }

  /** Only on a ledger that was just constructed. */
  restoreAtRest(sent: number, received: number): void {
    this.outgoing.restore({ sent, confirmed: sent, transmitted: sent, kept: NONE_KEPT });
    this.incoming.restore({ received, confirmed: received });
  }

  interpret(message: LedgerMessage, now: number): LedgerAction {
    switch (message.type) {
      case "ack": {
        const tokens = this.outgoing.acknowledge(message.position, now);
        return tokens === null
          ? violation(`Expected an ack of what was sent, got one of position ${message.position}.`)
          : { type: "confirmed", tokens };
      }
      case "want":
        return { type: "ack", need: this.incoming.want() };
      case "skip": {
        const need = this.incoming.skip(message.count);
        return need === null
          ? violation(`Expected \`skip\` to stay below 2^53, got ${message.count} more positions.`)
          : { type: "ack", need };
      }
    }
  }

  /** The `ack` to send with what is sent in this turn; "" for none. See `ReceiveLedger.takeAck`. */
  takeAck(moment: "due" | "passing"): string {
    return writeAck(this.incoming.takeAck(moment));
  }

  /** The `ack` to send when the timer of `ackDelay` fires; "" for none. */
  takeLateAck(): string {
    return writeAck(this.incoming.takeLateAck());
  }
}

const NONE_KEPT: readonly null[] = [];

/** For `violation`, if a message arrives after the last position. */
export const NO_POSITION_LEFT = "Expected positions to stay below 2^53, got one more message.";

export function violation(message: string): { readonly type: "violation"; readonly message: string } {
  return { type: "violation", message };
}

function writeAck(position: number): string {
  return position === -1 ? "" : writeSessionMessage({ type: "ack", position });
}
