// Enforces the limits per client address: open sockets, open connections and upgrades per second.

import type { Address, Clock, Logger } from "../../connection/ports.js";
import { refuse, type Refusal } from "../../protocol/handshake/server-handshake.js";
import { addressBytes } from "../forwarding/ip-address.js";
import type { LimitName, Limits } from "./limit-options.js";
import { overdrawnBy, rateOf, take, type Rate } from "./quota.js";
import { Episode, reportExceededLimit } from "./report.js";

export interface AddressLimitsOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger | null;
  /** Whether trusted proxies report the addresses. */
  readonly isForwarded: boolean;
}

/** The counters of one address. */
class AddressRecord {
  sockets = 0;
  connections = 0;
  /** When the token bucket of upgrades is full again, in monotonic milliseconds. */
  upgradesFullAt = -Infinity;
  readonly episode = new Episode();

  isIdle(now: number): boolean {
    return (
      this.sockets === 0 && this.connections === 0 && this.upgradesFullAt <= now && this.episode.isOver(now)
    );
  }
}

export class AddressLimits {
  readonly #limits: Limits;
  readonly #upgrades: Rate | null;
  readonly #clock: Clock;
  readonly #logger: Logger | null;
  readonly #advice: string;
  readonly #records = new Map<string, AddressRecord>();
  #sweepSize = MIN_SWEEP_SIZE;

  constructor({ limits, clock, logger, isForwarded }: AddressLimitsOptions) {
    this.#limits = limits;
    this.#upgrades = rateOf(limits.upgradesPerSecond);
    this.#clock = clock;
    this.#logger = logger;
    // Without `trustProxy`, all clients of a proxy share its address.
    this.#advice = isForwarded ? "" : " If this is a proxy, set `trustProxy`.";
  }

  /**
   * Counts a socket that has not sent anything yet. Returns whether it may stay open. An address may have twice as many
   * sockets as connections: a client beyond the limit of connections receives a 429, and a socket beyond the limit of
   * sockets is cheap to drop.
   */
  addSocket(address: Address | null): boolean {
    const { connectionsPerAddress: limit } = this.#limits;
    if (limit === null || address === null) return true;
    const record = this.#recordOf(keyOf(address));
    if (record.sockets >= 2 * limit + SPARE_SOCKETS) {
      const reason = `Expected at most ${2 * limit + SPARE_SOCKETS} sockets of one address, got another one.${this.#advice}`;
      this.#report(record, "connectionsPerAddress", reason, address);
      return false;
    }
    record.sockets++;
    return true;
  }

  removeSocket(address: Address | null): void {
    const record = address === null ? undefined : this.#records.get(keyOf(address));
    if (record !== undefined) record.sockets--;
  }

  /**
   * Counts an upgrade request of `address`. Returns a refusal if it exceeds a limit. Clients without an address, on a
   * Unix socket, are not limited.
   *
   * @param mayExceed whether the connection may exceed the limit of connections
   */
  requestUpgrade(address: Address | null, mayExceed: boolean): Refusal | null {
    if (address === null) return null;
    const record = this.#recordOf(keyOf(address));
    const refusal = mayExceed ? null : this.#checkConnections(record, address);
    if (refusal !== null || this.#upgrades === null) return refusal;
    const now = this.#clock.now();
    const fullAt = take(record.upgradesFullAt, now, 1, this.#upgrades);
    const excess = overdrawnBy(fullAt, now, this.#upgrades);
    if (excess <= 0) {
      record.upgradesFullAt = fullAt;
      return null;
    }
    const reason = `Expected at most ${this.#limits.upgradesPerSecond} upgrades a second from one address, got another one.`;
    this.#report(record, "upgradesPerSecond", `${reason}${this.#advice}`, address);
    return refuseFor(reason, Math.ceil(excess / 1000));
  }

  /** Checks the limit when a connection opens: others may have opened since the upgrade was requested. */
  checkConnections(address: Address | null): Refusal | null {
    return address === null ? null : this.#checkConnections(this.#recordOf(keyOf(address)), address);
  }

  /**
   * Whether another connection would exceed the limit.
   *
   * @param leaving the address of a connection that the other one replaces; undefined for none
   */
  isFull(address: Address | null, leaving: Address | null | undefined): boolean {
    const { connectionsPerAddress: limit } = this.#limits;
    if (limit === null || address === null) return false;
    const key = keyOf(address);
    const isReplaced = leaving !== null && leaving !== undefined && keyOf(leaving) === key;
    return (this.#records.get(key)?.connections ?? 0) - (isReplaced ? 1 : 0) >= limit;
  }

  /** Counts an open connection. Returns the key to pass to `removeConnection`. */
  addConnection(address: Address): string {
    const key = keyOf(address);
    this.#recordOf(key).connections++;
    return key;
  }

  removeConnection(key: string): void {
    const record = this.#records.get(key);
    if (record !== undefined) record.connections--;
  }

  #checkConnections(record: AddressRecord, address: Address): Refusal | null {
    const { connectionsPerAddress: limit } = this.#limits;
    if (limit === null || record.connections < limit) return null;
    const reason = `Expected at most ${limit} connections from one address, got another one.`;
    this.#report(record, "connectionsPerAddress", `${reason}${this.#advice}`, address);
    return refuseFor(reason, RETRY_AFTER);
  }

  #report(record: AddressRecord, limit: LimitName, reason: string, remoteAddress: Address): void {
    reportExceededLimit(
      { limit, reason, remoteAddress, connection: null },
      { episode: record.episode, now: this.#clock.now(), logger: this.#logger },
    );
  }

  #recordOf(key: string): AddressRecord {
    let record = this.#records.get(key);
    if (record === undefined) {
      if (this.#records.size >= this.#sweepSize) this.#sweep();
      record = new AddressRecord();
      this.#records.set(key, record);
    }
    return record;
  }

  /**
   * Removes records of idle addresses. It runs when the number of records has doubled, so that the amortised cost is
   * low.
   */
  #sweep(): void {
    const now = this.#clock.now();
    for (const [key, record] of this.#records) if (record.isIdle(now)) this.#records.delete(key);
    this.#sweepSize = Math.max(MIN_SWEEP_SIZE, 2 * this.#records.size);
  }
}

const MIN_SWEEP_SIZE = 1024;
const SPARE_SOCKETS = 8;

/** Retry-After, in seconds, if other connections of the address have to close first. */
const RETRY_AFTER = 5;

function refuseFor(reason: string, seconds: number): Refusal {
  return {
    ...refuse(429, `${reason} Try again later.`, { "Retry-After": String(seconds) }),
    isReported: true,
  };
}

/** Returns one key per customer: the IPv4 address, or the first 64 bits of an IPv6 address. */
export function keyOf({ address }: Address): string {
  const bytes = addressBytes(address);
  if (bytes === null) return address;
  const isIPv4 =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return String.fromCharCode(...(isIPv4 ? bytes.subarray(12) : bytes.subarray(0, 8)));
}
