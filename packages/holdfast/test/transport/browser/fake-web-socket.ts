// A fake of the browser's WebSocket (WHATWG WebSockets). The test acts as its network.

import type { Message } from "../../../build/connection/reading/inbox.js";

/** The members that the transport uses, and methods that simulate the network. */
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
  /** The sent messages and Closes, in order. */
  readonly log: string[] = [];
  /** Whether sent data stays in the browser's memory. */
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

  /** The network accepts all sent data. */
  drain(): void {
    this.isStuck = false;
    this.bufferedAmount = 0;
  }

  deliver(message: Message): void {
    const data = typeof message === "string" ? message : new Uint8Array(message).buffer;
    this.onmessage?.({ data });
  }

  /** The browser reports the end of the connection. 1006 means that the peer sent no Close. */
  end(code: number, reason = ""): void {
    this.readyState = this.CLOSED;
    this.onclose?.({ code, reason });
  }
}
