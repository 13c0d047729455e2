// The sends of a client's connection that go through its session.

import type { TextBytes } from "../../shared/text-bytes.js";
import type { Fragment, SendSettings } from "../../connection/message-transport.js";
import type { SessionSender } from "./session-sender.js";

export abstract class CarriedSends {
  protected readonly sender: SessionSender;

  constructor(sender: SessionSender) {
    this.sender = sender;
  }

  get waitingBytes(): number {
    return this.sender.waitingBytes;
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.sender.sendEasily(text, settings) ?? this.sender.sendText(text, settings);
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.sender.sendBinary(payload, settings);
  }

  sendFragment(fragment: Fragment): Promise<void> {
    return this.sender.sendFragment(fragment);
  }

  untilFragments(begins: boolean): Promise<void> | null {
    return this.sender.untilFragments(begins);
  }

  takeConfirmation(closedError: Error | null): Promise<void> | null {
    return this.sender.takeConfirmation(closedError);
  }

  fail(closedError: () => Error): void {
    for (const each of this.sender.takeWaiting()) each.reject(closedError());
  }
}
