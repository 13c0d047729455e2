/** The way that bytes go through the proxy. */
export type Direction = "toServer" | "toClient";

/** What one direction of a connection does to the bytes; the methods of `FaultControls` tell what each one means. */
export interface Faults {
  readonly delay: number;
  readonly bytesPerSecond: number | null;
  readonly chunkSize: number | null;
  readonly flow: "open" | "frozen" | "blackholed";
  readonly isFinHeld: boolean;
}

export const NO_FAULTS: Faults = {
  delay: 0,
  bytesPerSecond: null,
  chunkSize: null,
  flow: "open",
  isFinHeld: false,
};

export interface CutOptions {
  /** Both ends see a FIN behind what was forwarded to them, or an RST. */
  readonly kind: "fin" | "rst";
  /**
   * Cuts once that many more bytes went that way, and nothing beyond them does. The cut comes a few milliseconds
   * behind them, so that they are read first; after 0 bytes it comes with the connection. @default at once
   */
  readonly after?: { readonly direction: Direction; readonly bytes: number };
}

/**
 * The faults of a whole proxy or of one of its connections. They add up, and change at any time.
 * Without a direction a fault holds for both.
 */
export abstract class FaultControls {
  /** Holds every byte back for `ms`, order kept, however many are on their way. 0 ends it. */
  delay(ms: number, direction?: Direction): void {
    this.set({ delay: ms }, direction);
  }

  /** Lets at most so many bytes through per second, evenly, so that the sender's buffers fill. null ends it. */
  throttle(bytesPerSecond: number | null, direction?: Direction): void {
    this.set({ bytesPerSecond }, direction);
  }

  /** Forwards pieces of at most `size` bytes, a turn of the event loop apart. null ends it. */
  chunk(size: number | null, direction?: Direction): void {
    this.set({ chunkSize: size }, direction);
  }

  /** A half-dead link: nothing is read or forwarded, no FIN and no RST either, so that the sender's buffers fill. */
  freeze(direction?: Direction): void {
    this.set({ flow: "frozen" }, direction);
  }

  /** A mute link: everything is read and lost, FIN and RST too, so that the sender's buffers never fill. */
  blackhole(direction?: Direction): void {
    this.set({ flow: "blackholed" }, direction);
  }

  /** Ends `freeze`, with everything that waited, and `blackhole`, with a hole in the stream. */
  thaw(direction?: Direction): void {
    this.set({ flow: "open" }, direction);
  }

  /** A sender that vanishes: its FIN, and an RST behind it, do not get through. `heal` lets them. */
  halfOpen(direction?: Direction): void {
    this.set({ isFinHeld: true }, direction);
  }

  /** Ends every fault, and calls off a cut that has not happened yet. */
  heal(direction?: Direction): void {
    this.callOffCut();
    this.set(NO_FAULTS, direction);
  }

  /** Ends the connections: at once those there are, or, `after` so many bytes, those and each later one. */
  abstract cut(options: CutOptions): void;

  /** Calls off a cut that waits for its bytes. */
  abstract callOffCut(): void;

  /** Sets several faults at once, where the methods above set one. */
  abstract set(faults: Partial<Faults>, direction?: Direction): void;
}
