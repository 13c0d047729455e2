// A browser's WebSocket (WHATWG WebSockets) whose network is the test.

import type { Message } from "../../../build/connection/inbox.js";

/** What a wire uses of a WebSocket, and what the network does to it. */
export class FakeWebSocket {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readyState = 1;
  bufferedAmount = 0;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onerror: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  /** What was sent and closed, in order. */
  readonly log: string[] = [];
  /** Whether what is sent stays in the browser's memory. */
  isStuck = false;

  send(data: string | Uint8Array): void {
    this.log.push(typeof data === "string" ? data : `bytes ${data.join(" ")}`);
    if (this.isStuck) this.bufferedAmount += data.length;
  }

  close(code?: number, reason?: string): void {
    if (this.readyState >= this.CLOSING) return;
    this.readyState = this.CLOSING;
    this.log.push(`close ${code ?? ""} ${reason ?? ""}`.trimEnd());
  }

  /** The network takes what was sent. */
  drain(): void {
    this.isStuck = false;
    this.bufferedAmount = 0;
  }

  deliver(message: Message): void {
    const data = typeof message === "string" ? message : new Uint8Array(message).buffer;
    this.onmessage?.({ data });
  }

  /** The browser says that the connection is over. 1006 stands for no Close by the peer. */
  end(code: number, reason = ""): void {
    this.readyState = this.CLOSED;
    this.onclose?.({ code, reason });
  }
}
