// One message of a topic, encoded once for all receivers that get the same bytes.

import type { ConnectionCore } from "../connection/connection-core.js";
import type { SharedMessage } from "../connection/message-transport.js";
import type { Runtime } from "../connection/runtime.js";
import type { TopicMessage } from "./topic-event.js";

const MARK = "\u0016";

export class TopicFrames {
  readonly message: TopicMessage;
  readonly #runtime: Runtime;
  readonly #escapedTopic: string;
  readonly #mayCompress: boolean;
  readonly #isShared: boolean;
  #bare: SharedMessage | null = null;
  #word: SharedMessage | null = null;
  #announced: SharedMessage | null = null;

  /** @param isShared whether the message goes to more than one receiver */
  constructor(runtime: Runtime, message: TopicMessage, escapedTopic: string, isShared: boolean) {
    this.message = message;
    this.#runtime = runtime;
    this.#escapedTopic = escapedTopic;
    this.#mayCompress = message.compress ?? true;
    this.#isShared = isShared;
  }

  /** Sends the message, unless `limit` bytes or more wait for this peer. */
  trySend(core: ConnectionCore, isLink: boolean, limit: number): "not-open" | "sent" | "slow" {
    if (!isLink) return core.trySend(this.#bareMessage, limit);
    const outcome = core.trySend(this.#linkMessage, limit);
    if (outcome !== "sent" || typeof this.message.data === "string") return outcome;
    return core.trySend(this.#announcedMessage, Infinity);
  }

  /** Sends the message; resolves when the peer has room for more. */
  async send(core: ConnectionCore, isLink: boolean): Promise<void> {
    const { data } = this.message;
    if (!isLink) await core.send(data, { mayEncode: this.#mayCompress, signal: null, receipt: null });
    else if (typeof data !== "string") await core.sendWord("b", this.#place, data);
    else await core.sendWord("m", `${this.#place}\n${data}`);
  }

  get #bareMessage(): SharedMessage {
    return (this.#bare ??= this.#share(this.message.data, this.#mayCompress));
  }

  /** The binary message that a word announced: it belongs to the word, and is no message of a session. */
  get #announcedMessage(): SharedMessage {
    return (this.#announced ??= this.#share(this.message.data, this.#mayCompress, true));
  }

  /** A text with its position, or the announcement of a binary message. */
  get #linkMessage(): SharedMessage {
    const { data } = this.message;
    const isText = typeof data === "string";
    const text = isText ? `${MARK}m ${this.#place}\n${data}` : `${MARK}b ${this.#place}`;
    return (this.#word ??= this.#share(text, isText && this.#mayCompress, true));
  }

  #share(data: Uint8Array | string, mayEncode: boolean, isWord = false): SharedMessage {
    if (!this.#isShared) return new UnsharedMessage(data, mayEncode, isWord);
    return this.#runtime.share(data, mayEncode, isWord);
  }

  get #place(): string {
    return `${this.#escapedTopic} ${this.message.offset ?? "-"}`;
  }
}

/** A message to one receiver, whose connection encodes it: that costs a third of a frame to share. */
class UnsharedMessage implements SharedMessage {
  readonly data: Uint8Array | string;
  readonly mayEncode: boolean;
  readonly isWord: boolean;

  constructor(data: Uint8Array | string, mayEncode: boolean, isWord: boolean) {
    this.data = data;
    this.mayEncode = mayEncode;
    this.isWord = isWord;
  }

  /** Rarely needed, and counted then. */
  get size(): number {
    return typeof this.data === "string" ? textEncoder.encode(this.data).length : this.data.length;
  }
}

const textEncoder = new TextEncoder();
