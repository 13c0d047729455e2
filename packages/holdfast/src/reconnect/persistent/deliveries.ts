// Passes the messages of a persistent connection to the current connection, at its pace. Pages load it later than the
// queue, while the first connection opens.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import { Delivery } from "./delivery.js";
import type { OutgoingMessage } from "./outgoing-message.js";

export class Deliveries {
  readonly #writeLimit: number;
  readonly #onRoom: () => void;
  readonly #deliveries = new Set<Delivery>();
  #connection: Connection | null = null;
  /** The connection's write buffer is full, or the window of its session. */
  #isPaused = false;

  /** @param onRoom called when there is room again */
  constructor(writeLimit: number, onRoom: () => void) {
    this.#writeLimit = writeLimit;
    this.#onRoom = onRoom;
  }

  /** Whether there is a connection that accepts messages: it does not once it is closing. */
  get isOpen(): boolean {
    return this.#connection?.state === "open";
  }

  get hasRoom(): boolean {
    return this.isOpen && !this.#isPaused;
  }

  begin(connection: Connection): void {
    this.#connection = connection;
    this.#awaitRoom(connection); // The messages that the session kept may fill its window.
  }

  /** The connection has ended. Returns its messages of which no byte was sent; null if there was no connection. */
  end(cause: Error): OutgoingMessage[] | null {
    if (this.#connection === null) return null;
    this.#connection = null;
    this.#isPaused = false;
    const unsent = [...this.#deliveries].flatMap((delivery) => delivery.withdraw(cause) ?? []);
    this.#deliveries.clear();
    return unsent;
  }

  /** Passes on a message, and pauses if the connection has no room for more. Only while it is open. */
  handOver(message: OutgoingMessage): void {
    const connection = this.#current;
    const delivery = this.deliver(message);
    // Messages of this turn may only wait for the write at its end: write them first, then judge whether there is room.
    if (connection.bufferedAmount >= this.#writeLimit) coreOf(connection).flush();
    if (connection.bufferedAmount < this.#writeLimit) this.#awaitRoom(connection);
    else this.#pause(connection, delivery.whenWritable);
  }

  /** Passes on a message, whether there is room or not. */
  deliver(message: OutgoingMessage): Delivery {
    const delivery = new Delivery(message, this.#current, (settled) => this.#deliveries.delete(settled));
    this.#deliveries.add(delivery);
    return delivery;
  }

  get #current(): Connection {
    if (this.#connection === null) throw new Error("Expected a connection before a delivery.");
    return this.#connection;
  }

  /** Beyond its window, a session would keep messages without limits of number and time. */
  #awaitRoom(connection: Connection): void {
    const untilRoom = coreOf(connection).transport.session?.untilRoom ?? null;
    if (untilRoom !== null) this.#pause(connection, untilRoom);
  }

  #pause(connection: Connection, until: Promise<void>): void {
    this.#isPaused = true;
    void until.then(() => {
      if (this.#connection !== connection) return;
      this.#isPaused = false;
      this.#awaitRoom(connection);
      this.#onRoom();
    });
  }
}
