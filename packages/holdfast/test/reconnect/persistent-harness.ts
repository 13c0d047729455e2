// A persistent connection on a scripted connector and a fake clock.

import assert from "node:assert/strict";
import type { ConnectorOptions } from "../../build/reconnect/connector.js";
import { NotSentError } from "../../build/connection/sending/not-sent-error.js";
import { openPersistent } from "../../build/reconnect/persistent/open-persistent.js";
import type { PersistentConnection } from "../../build/reconnect/persistent/persistent-connection.js";
import type { PersistentOptions } from "../../build/reconnect/persistent/persistent-options.js";
import type { PersistOptions } from "../../build/reconnect/retry/persist-options.js";
import type { PerAttemptOptions } from "../../build/reconnect/target.js";
import { follow, parseFrames } from "../connection/harness.js";
import { close, ScriptedConnector, type ScriptedAttempt } from "./scripted-connector.js";

export type Options = PerAttemptOptions<ConnectorOptions> & PersistentOptions & PersistOptions;

export class PersistentHarness {
  readonly connector: ScriptedConnector;
  readonly link: PersistentConnection;
  /** The reported states. */
  readonly states: string[] = [];

  constructor(options: Options = {}, onAttempt?: (attempt: ScriptedAttempt) => void) {
    this.connector = new ScriptedConnector(onAttempt);
    this.link = openPersistent(this.connector, "ws://example.com/", options);
    this.states.push(this.link.status.state);
    this.link.on("status", (status) => {
      assert.equal(status, this.link.status);
      assert(Object.isFrozen(status));
      this.states.push(status.state);
    });
  }

  get clock() {
    return this.connector.clock;
  }

  get attempt(): ScriptedAttempt {
    return this.connector.attempt;
  }

  async open(): Promise<void> {
    await this.clock.settle();
    this.attempt.open();
    await this.clock.settle();
  }

  /** Resets the connection, and opens the next one as soon as the client attempts it. */
  async reopen(): Promise<void> {
    await this.cut();
    await this.clock.advanceAsync(5_000);
    await this.open();
  }

  async cut(): Promise<void> {
    this.attempt.transport.fail();
    await this.clock.settle();
  }

  /** Sends a message, and tracks its result: "pending", "sent", or the reason and the outcome. */
  send(
    data: string | Uint8Array,
    options?: Parameters<PersistentConnection["send"]>[1],
  ): { readonly fate: string } {
    const followed = follow(this.link.send(data, options));
    return {
      get fate() {
        const { outcome } = followed;
        if (outcome.status === "pending") return "pending";
        if (outcome.status === "fulfilled") return "sent";
        const { error } = outcome;
        return error instanceof NotSentError ? `${error.reason} ${error.outcome}` : String(error);
      },
    };
  }

  /** Closes it in any state, and asserts that no resource remains. */
  async finish(): Promise<void> {
    void this.link.close();
    await this.clock.settle();
    const newest = this.connector.attempts.at(-1);
    if (newest?.isOpen === true && newest.isLive) {
      newest.transport.drain();
      newest.deliver(close(1000));
      newest.transport.eof();
    }
    await this.clock.settle();
    await this.link.closed;
    this.assertNothingLeft();
  }

  assertNothingLeft(): void {
    assert.equal(this.link.status.state, "closed");
    assert.equal(this.connector.watchers.size, 0);
    assert.equal(this.link.connection, null);
    assert.deepEqual(this.link.queued, { messages: 0, bytes: 0 });
    this.connector.assertNothingLeft();
  }
}

/** The text messages that a peer received. */
export function messagesOf(attempt: ScriptedAttempt): string[] {
  return textsIn(attempt.transport.taken);
}

/** The text messages among these frames. */
export function textsIn(bytes: Uint8Array): string[] {
  return parseFrames(bytes)
    .filter(({ opcode }) => opcode === 1)
    .map(({ payload }) => Buffer.from(payload).toString());
}
