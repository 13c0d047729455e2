// The faults of a proxy, and the methods that set them.

import { checkDirection } from "./check-faults.js";

/** The direction of bytes through the proxy. */
export type Direction = "toServer" | "toClient";

/** The faults of one direction; see the methods of `FaultControls` for their meaning. */
export interface Faults {
  /** Milliseconds by which each byte is delayed; 0 for none. */
  readonly delay: number;
  /** The rate; null for no limit. */
  readonly bytesPerSecond: number | null;
  /** The largest piece that is forwarded, in bytes; null for no limit. */
  readonly chunkSize: number | null;
  /** Whether bytes are forwarded, wait, or are discarded. */
  readonly flow: "open" | "frozen" | "blackholed";
  /** Whether the end of the sender is kept back. */
  readonly isFinHeld: boolean;
}

/**
 * The treatment of a new connection: it is forwarded, ended by FIN or RST after it was accepted, or accepted and left
 * without an answer.
 */
export type AcceptMode = "forward" | "close" | "reset" | "mute";

export const NO_FAULTS: Faults = {
  delay: 0,
  bytesPerSecond: null,
  chunkSize: null,
  flow: "open",
  isFinHeld: false,
};

/** Options of `cut()`. */
export interface CutOptions {
  /** Both ends see a FIN after the forwarded bytes, or an RST. */
  readonly kind: "fin" | "rst";
  /**
   * Cuts after this many more bytes in that direction, and forwards nothing beyond them. The cut follows a
   * few milliseconds later, so that the bytes are read first. With 0 bytes it happens on connecting.
   * @default at once
   */
  readonly after?: { readonly direction: Direction; readonly bytes: number } | undefined;
}

/**
 * The faults of a whole proxy or of one of its connections. Both apply together, and both can change at any
 * time. Without a direction a fault applies to both directions. An invalid argument is an InvalidArgumentError.
 */
export abstract class FaultControls {
  /** Delays every byte by `ms`, in order, however many are in transit. 0 ends it. */
  delay(ms: number, direction?: Direction): void {
    this.set({ delay: ms }, direction);
  }

  /** Forwards at most this many bytes per second, evenly, so that the sender's buffers fill. null ends it. */
  throttle(bytesPerSecond: number | null, direction?: Direction): void {
    this.set({ bytesPerSecond }, direction);
  }

  /** Forwards pieces of at most `size` bytes, a turn of the event loop apart. null ends it. */
  chunk(size: number | null, direction?: Direction): void {
    this.set({ chunkSize: size }, direction);
  }

  /** A frozen link: no byte, FIN or RST is read or forwarded, so that the sender's buffers fill. */
  freeze(direction?: Direction): void {
    this.set({ flow: "frozen" }, direction);
  }

  /**
   * A silent link: everything is read and discarded, including FIN and RST, so that the sender's buffers
   * never fill.
   */
  blackhole(direction?: Direction): void {
    this.set({ flow: "blackholed" }, direction);
  }

  /** Ends `freeze`, forwarding everything that waited, and `blackhole`, leaving a gap in the stream. */
  thaw(direction?: Direction): void {
    this.set({ flow: "open" }, direction);
  }

  /** A sender that vanishes: its FIN and a later RST are not forwarded until `heal`. */
  halfOpen(direction?: Direction): void {
    this.set({ isFinHeld: true }, direction);
  }

  /** Ends every fault, and cancels a pending cut. */
  heal(direction?: Direction): void {
    checkDirection(direction);
    this.callOffCut();
    this.set(NO_FAULTS, direction);
  }

  /** Ends the connections: the current ones at once, or, with `after`, current and later ones after that many bytes. */
  abstract cut(options: CutOptions): void;

  /** Cancels a cut that has not happened yet. */
  abstract callOffCut(): void;

  /** Sets several faults at once. */
  abstract set(faults: Partial<Faults>, direction?: Direction): void;
}
