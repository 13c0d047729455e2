// Consumes events like a loop, and records them.

import type { ClientEvent } from "../../build/reconnect/events.js";
import type { ConnectionState } from "../../build/connection/connection-core.js";

export interface Seen {
  readonly event: ClientEvent;
  readonly state: ConnectionState;
}

export class Consumer {
  readonly seen: Seen[] = [];
  isOver = false;
  error: unknown = null;
  readonly finished: Promise<void>;

  /** @param body of the loop; returns "leave" to leave the loop */
  constructor(
    events: AsyncIterable<ClientEvent>,
    client: { readonly state: ConnectionState },
    body: (event: ClientEvent) => unknown = () => undefined,
  ) {
    this.finished = this.#run(events, client, body);
  }

  get types(): readonly string[] {
    return this.seen.map(({ event }) => event.type);
  }

  /** The newest event of this type. */
  find<Type extends ClientEvent["type"]>(type: Type): Extract<ClientEvent, { type: Type }> | undefined {
    const events = this.seen.map(({ event }) => event);
    return events.findLast((event): event is Extract<ClientEvent, { type: Type }> => event.type === type);
  }

  async #run(
    events: AsyncIterable<ClientEvent>,
    client: { readonly state: ConnectionState },
    body: (event: ClientEvent) => unknown,
  ): Promise<void> {
    try {
      for await (const event of events) {
        this.seen.push({ event, state: client.state });
        if ((await body(event)) === "leave") break;
      }
    } catch (error) {
      this.error = error;
    }
    this.isOver = true;
  }
}
