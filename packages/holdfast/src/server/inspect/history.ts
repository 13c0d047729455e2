// The memory of the inspector while nobody looks: the newest endings, and the counters of the connections that have
// ended. Keeping an ending costs a reference to its CloseInfo.

import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import type { Address } from "../../connection/ports.js";
import type { Rates } from "./wire.js";

const KEPT = 500;

/** The transport keeps an address that was read once. When the socket has closed, it is too late to read it. */
const readAddress = ({ remoteAddress: _ }: Connection): void => {};

export interface Ending {
  readonly id: string;
  readonly remoteAddress: Address | null;
  readonly url: string;
  readonly info: CloseInfo;
}

export class History {
  /** Sums since the inspector was set up: of the connections that have ended, but `opened` of all. */
  readonly past: { -readonly [Name in keyof Rates]: number } = {
    opened: 0,
    ended: 0,
    messagesReceived: 0,
    messagesSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
  /** A ring: the ending of number n is at n modulo its size. */
  readonly #ring: Ending[] = [];

  onOpened(connection: Connection): void {
    readAddress(connection);
    this.past.opened++;
  }

  onEnded(connection: Connection, info: CloseInfo): void {
    const { past } = this;
    const { evidence } = info;
    past.messagesReceived += evidence.messagesReceived;
    past.messagesSent += evidence.messagesSent;
    past.bytesReceived += evidence.bytesReceived;
    past.bytesSent += evidence.bytesSent;
    this.#ring[past.ended++ % KEPT] = {
      id: connection.id,
      remoteAddress: connection.remoteAddress,
      url: connection.url,
      info,
    };
  }

  /** The number of the oldest ending that is kept; the newest is `past.ended - 1`. */
  get oldest(): number {
    return Math.max(0, this.past.ended - KEPT);
  }

  ending(number: number): Ending {
    return this.#ring[number % KEPT];
  }
}
