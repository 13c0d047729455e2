// The event of a text message: a class, so that `json()` costs no closure for each message.

import type { EventTime, TextEvent } from "../events.js";

export class ReceivedText implements TextEvent {
  readonly type = "text";
  readonly text: string;
  readonly at: number;
  readonly receivedAt: number;

  constructor(text: string, { at, receivedAt }: EventTime) {
    this.text = text;
    this.at = at;
    this.receivedAt = receivedAt;
  }

  json(): unknown {
    return JSON.parse(this.text);
  }
}
