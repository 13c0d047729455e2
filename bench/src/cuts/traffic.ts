// One end of a session under load: sends numbered messages of all kinds, and checks those that it receives.

import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionClosed, NotSentError } from "holdfast";
import type { SeededRandom } from "holdfast-testkit";
import { compose, inEitherType, inPieces, pickLength, read, type SequenceName } from "./messages.js";
import { Tally } from "./tally.js";

/** The connection that this end sends on. */
export interface Sending {
  /** Whether more may be sent now. */
  readonly hasRoom: boolean;
  send(data: string | Uint8Array, options: { readonly compress: boolean }): Promise<void>;
  /** Null while no message can be sent in fragments. */
  readonly stream: ((pieces: AsyncIterable<string | Uint8Array>) => Promise<void>) | null;
}

/** The messages in one direction: the sender counts what it sends, and the receiver what arrives. */
export interface Tallies {
  readonly direct: Tally;
  readonly streamed: Tally;
  readonly broadcast: Tally;
}

export function newTallies(): Tallies {
  return { direct: new Tally(), streamed: new Tally(), broadcast: new Tally(true) };
}

export class Traffic {
  readonly #random: SeededRandom;
  readonly #outgoing: Tallies;
  readonly #incoming: Tallies;
  #isStopping = false;
  /** Sends that have not settled. */
  #pending = 0;
  readonly #streams = new Set<Promise<void>>();
  /** Violations, in words. */
  readonly failures: string[] = [];

  constructor(random: SeededRandom, outgoing: Tallies, incoming: Tallies) {
    this.#random = random;
    this.#outgoing = outgoing;
    this.#incoming = incoming;
  }

  /** Sends until `stop()`. */
  async run(sending: Sending): Promise<void> {
    while (!this.#isStopping) {
      if (this.#pending < 10 && sending.hasRoom) this.#sendOne(sending);
      if (this.#random.number() < 0.3) await sleep(this.#random.integer(0, 3));
    }
    await Promise.all(this.#streams);
  }

  stop(): void {
    this.#isStopping = true;
  }

  receive(message: string | Uint8Array): void {
    const numbered = read(message);
    if (numbered === null) this.failures.push(`received "${String(message).slice(0, 60)}"`);
    else this.#incoming[numbered.sequence].onReceived(numbered.number);
  }

  #sendOne(sending: Sending): void {
    const { stream } = sending;
    if (stream !== null && this.#streams.size < 2 && this.#random.number() < 0.1) this.#stream(stream);
    else this.#send(sending);
  }

  #send(sending: Sending): void {
    const data = inEitherType(this.#next("direct"), this.#random);
    const compress = this.#random.number() < 0.7;
    this.#pending++;
    sending
      .send(data, { compress })
      .catch((error: unknown) => this.failures.push(`send: ${String(error)}`))
      .finally(() => this.#pending--);
  }

  #stream(stream: NonNullable<Sending["stream"]>): void {
    const number = this.#outgoing.streamed.sent;
    const text = this.#next("streamed");
    const sent = stream(inPieces(text, this.#random)).catch((error: unknown) => {
      if (error instanceof NotSentError && error.outcome === "unsent") {
        this.#outgoing.streamed.onUnsent(number);
      } else if (error instanceof ConnectionClosed) {
        this.#outgoing.streamed.onUncertain(number); // A client's connection has ended with its socket.
      } else this.failures.push(`stream: ${String(error)}`);
    });
    this.#streams.add(sent);
    void sent.then(() => this.#streams.delete(sent));
  }

  #next(sequence: SequenceName): string {
    const tally = this.#outgoing[sequence];
    const text = compose(sequence, tally.sent, pickLength(this.#random));
    tally.onSent();
    return text;
  }
}
