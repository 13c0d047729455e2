// Warns the developer once if a client on the link protocol is sent the messages of a topic, and never asked for any topic:
// they reach only its `subscribe()`, so that a program that calls `recv()` would wait without an error.

import { coreOf } from "../connection/core-of.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";
import type { ClientRequests } from "./client-requests.js";
import type { LocalTopic } from "./local-topic.js";
import type { Receiver } from "./receiver.js";

/** Milliseconds between two looks: a client has this long to subscribe. */
const PERIOD = 5_000;

export class UnreadLinks {
  readonly #runtime: Runtime;
  /** That of the receiver that is watched; null for none. One at a time is enough to find the mistake. */
  #alarm: Alarm | null = null;
  #hasWarned = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The server has subscribed the receiver to the topic. */
  watch(receiver: Receiver, topic: LocalTopic, requests: ClientRequests): void {
    if (this.#hasWarned || this.#alarm !== null || requests.hasAsked) return;
    const { timers, clock } = this.#runtime;
    const sentBefore = topic.sent;
    const look = (): void => {
      const isOver = requests.hasAsked || receiver.isGone;
      if (!isOver && topic.sent === sentBefore) {
        timers.set(alarm, clock.now() + PERIOD);
        return;
      }
      this.#alarm = null;
      if (!isOver) this.#warn(receiver, topic.name);
    };
    const alarm = (this.#alarm = new Alarm({ onAlarm: look }));
    timers.set(alarm, clock.now() + PERIOD);
    // The alarm must not keep the process running.
    void coreOf(receiver.connection).whenEnded.then(() => {
      timers.cancel(alarm);
      if (this.#alarm === alarm) this.#alarm = null; // Another receiver may be watched by now.
    });
  }

  #warn({ connection, core }: Receiver, topic: string): void {
    this.#hasWarned = true;
    core.settings.faultLogger?.warn(
      `topic not read: messages of ${JSON.stringify(topic)} were sent to a client that has subscribed to no topic. A client on the link protocol, such as a page, or Node.js with \`session\` or \`linkProtocol\`, gets them by subscribe(connection, topic) of holdfast/topics, not by recv() or forEach()`,
      { connection: connection.id, topic },
    );
  }
}
