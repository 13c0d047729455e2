// Calls the store of sessions, which is the application's: bounds each call in time, and checks what it returns.

import { SILENT_PLATFORM, type AsyncContext, type Platform } from "../../connection/platform.js";
import type { Clock } from "../../connection/ports.js";
import { HoldfastError } from "../../shared/errors.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { SessionProof } from "../../session/server-session.js";
import type { InboxEntry, SessionChange, SessionRecord } from "../../session/store/session-record.js";
import type { Claim, SessionStore } from "../../session/store/session-store.js";
import { SESSION_LOSSES } from "../../session/wire.js";
import { withinTime } from "./within-time.js";

export class StoreCalls {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  /** The async context of the server: a socket's own would be that of its client. */
  readonly #context: AsyncContext | null;

  constructor(store: SessionStore, clock: Clock, platform: Platform = SILENT_PLATFORM) {
    this.#store = store;
    this.#clock = clock;
    this.#context = platform.captureContext();
  }

  async claim(id: string, proof: SessionProof): Promise<Claim> {
    const claim: unknown = await this.#bound(() => this.#store.claim(id, proof, this.#clock.wallNow()));
    if (isClaim(claim, id, proof)) return claim;
    throw new HoldfastError(
      "Expected `claim` of the session store to return a claim, got something else. Correct the store.",
    );
  }

  /** `onLate` is called if the record is written after the call has failed, perhaps in place of a newer one. */
  save(record: SessionRecord, onLate?: () => void): Promise<void> {
    return this.#bound(() => this.#store.save(record), onLate);
  }

  append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void> {
    return this.#bound(() => this.#store.append(id, generation, changes));
  }

  remove(id: string, generation: number, loss: SessionLoss | null, until: number): Promise<void> {
    return this.#bound(() => this.#store.remove(id, generation, loss, until));
  }

  sweep(): Promise<number> {
    return this.#bound(() => this.#store.sweep(this.#clock.wallNow()));
  }

  #bound<Result>(call: () => PromiseLike<Result>, onLate?: () => void): Promise<Result> {
    const context = this.#context;
    const bound = context === null ? call : () => context.runInAsyncScope(call, undefined);
    return withinTime(bound, this.#clock, "the session store", onLate);
  }
}

/** The error of a store as a HoldfastError. */
export function storeError(thrown: unknown): HoldfastError {
  const error = errorOf(thrown);
  if (error instanceof HoldfastError) return error;
  return new HoldfastError("The session store failed. See its error, in `cause`.", { cause: thrown });
}

function isClaim(value: unknown, id: string, proof: SessionProof): value is Claim {
  if (!isObject(value)) return false;
  if (value["type"] === "lost") {
    const { reason, error } = value;
    return SESSION_LOSSES.some((loss) => loss === reason) && (error === null || error instanceof Error);
  }
  return value["type"] === "claimed" && isRecord(value["record"], id, proof);
}

/** Whether the positions of a record agree: a session that is restored from others would lose or repeat messages. */
function isRecord(value: unknown, id: string, proof: SessionProof): value is SessionRecord {
  if (!isObject(value) || !isObject(value["outgoing"]) || !isObject(value["incoming"])) return false;
  const { outgoing, incoming, inbox, generation, attempt, created, deadline } = value;
  const { sent, confirmed, transmitted, kept } = outgoing;
  if (value["id"] !== id || value["secretHash"] !== proof.secretHash || value["owner"] !== proof.owner)
    return false;
  const counts = [sent, confirmed, transmitted, incoming["received"], incoming["confirmed"], attempt];
  if (!counts.every(isCount) || !isCount(generation) || generation === 0) return false;
  if (typeof created !== "number" || !(deadline === null || typeof deadline === "number")) return false;
  if (!Array.isArray(kept) || !Array.isArray(inbox)) return false;
  return (
    kept.length === (sent as number) - (confirmed as number) && // Counts, as checked above.
    kept.every((message) => message === null || isMessage(message)) &&
    isInbox(inbox, incoming["received"] as number)
  );
}

function isInbox(entries: readonly unknown[], received: number): entries is readonly InboxEntry[] {
  let before = 0;
  for (const entry of entries) {
    if (!isObject(entry) || !isMessage(entry["message"]) || !isCount(entry["position"])) return false;
    if (entry["position"] <= before || entry["position"] > received) return false;
    before = entry["position"];
  }
  return true;
}

function isMessage(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0; // A number, as just checked.
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
