// The events of text messages. They are classes so that `json()` needs no closure per message.

import type { TextBytes } from "../../shared/text-bytes.js";
import type { EventTime, TextEvent } from "../events.js";

export class ReceivedText implements TextEvent {
  readonly type = "text";
  readonly text: string;
  readonly bytes = null;
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

/** With the option `text: "bytes"`: decoded only on access. */
export class ReceivedTextBytes implements TextEvent {
  readonly type = "text";
  readonly bytes: TextBytes;
  readonly at: number;
  readonly receivedAt: number;

  constructor(bytes: TextBytes, { at, receivedAt }: EventTime) {
    this.bytes = bytes;
    this.at = at;
    this.receivedAt = receivedAt;
  }

  get text(): string {
    return this.bytes.toString();
  }

  json(): unknown {
    return JSON.parse(this.text);
  }
}
