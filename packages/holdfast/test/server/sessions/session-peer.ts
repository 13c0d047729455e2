// A scripted client that speaks of sessions, on real sockets.

import assert from "node:assert/strict";
import { RawClient } from "holdfast-testkit";

const SYN = "\u0016";

export interface Ticket {
  readonly id: string;
  readonly secret: string;
}

export class SessionPeer {
  readonly raw: RawClient;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async connect(port: number, path = "/"): Promise<SessionPeer> {
    const raw = await RawClient.connect({ port });
    await raw.upgrade({ path, headers: { "Sec-WebSocket-Protocol": "holdfast.v2, holdfast.v1" } });
    return new SessionPeer(raw);
  }

  word(text: string): void {
    this.raw.sendText(SYN + text);
  }

  send(text: string): void {
    this.raw.sendText(text);
  }

  /** The next message: a word begins with "^". A Close is "close CODE REASON". */
  async next(): Promise<string> {
    for (;;) {
      const { opcode, payload } = await this.raw.readFrame();
      const text = Buffer.from(payload).toString("utf8");
      if (opcode === 8)
        return `close ${Buffer.from(payload).readUInt16BE(0)} ${text.slice(2)}`.replace(/\uFFFD/g, "");
      if (opcode === 9 || opcode === 10) continue;
      if (text.startsWith(SYN + SYN)) return text.slice(1);
      return text.replace(SYN, "^");
    }
  }

  async expect(...texts: readonly string[]): Promise<void> {
    for (const text of texts) assert.equal(await this.next(), text);
  }

  /**
   * Waits until the server has confirmed exactly `position` (base 36). A busy server may confirm less before, after
   * `ackDelay`.
   */
  async confirmed(position: string): Promise<void> {
    for (;;) {
      const text = await this.next();
      if (text === `^ack ${position}`) return;
      const below = /^\^ack (\w+)$/.exec(text)?.[1];
      const isLess = below !== undefined && parseInt(below, 36) < parseInt(position, 36);
      assert.ok(isLess || text.startsWith("^spread"), `Expected ^ack ${position}, got ${text}`);
    }
  }

  /** Opens a session, whichever word brings it. */
  async open(word = "open"): Promise<Ticket & { readonly answer: string }> {
    this.word(word);
    const answer = await this.next();
    const ticket = /^\^(session|lost [a-z]+) (\S{12}) (\S{22}) /.exec(answer);
    assert.ok(ticket, answer);
    // The width of the spread follows.
    return { answer: ticket[1] ?? "", id: ticket[2] ?? "", secret: ticket[3] ?? "" };
  }

  resume({ id, secret }: Ticket, received: number, first: number): void {
    this.word(`resume ${id} ${secret} ${received.toString(36)} ${first.toString(36)}`);
  }

  /** Cuts the connection. */
  cut(): void {
    this.raw.reset();
  }

  async close(): Promise<void> {
    await this.raw.close();
  }
}
