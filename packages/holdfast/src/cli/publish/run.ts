// `holdfast publish`: publishes its argument or the lines of stdin, and prints each confirmation.

import {
  connect,
  explain,
  HoldfastError,
  InvalidArgumentError,
  type CloseInfo,
  type Connection,
  type Message,
} from "../../index.js";
import { publish, type Published } from "../../topics.js";
import type { Arguments } from "../arguments/arguments.js";
import { messagesOf } from "../connect/outgoing.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import { EXIT } from "../exit-codes.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { jsonLine } from "../terminal/json.js";

/** The number of messages that may wait for their confirmation. A server lets 1,000 requests of a client wait. */
const WINDOW = 256;
/** Milliseconds for the messages in flight and for the Close, after the reader of stdout has exited. */
const GRACE = 750;

export async function publishMessages(given: Arguments, console: Console): Promise<number> {
  const [url, topic, data] = given.operands as readonly [string, string, string | undefined];
  const timeout = given.time("timeout", 10_000);
  const isJSON = given.has("json") || !console.isOutputTerminal;
  const connection = await connect(completeURL(url), {
    ...peerOptions(given),
    linkProtocol: "required",
    closeTimeout: GRACE,
    signal: console.interrupted,
  });
  const stopped = new Promise<void>((resolve) => {
    const stop = (): void => {
      setTimeout(() => void connection.close(), console.hasReaderExited ? GRACE : 0);
      resolve();
    };
    console.interrupted.addEventListener("abort", stop, { once: true });
  });
  // Other messages are dropped: unread ones would pause reading.
  void connection.forEach(() => undefined).catch(() => undefined);

  const id = given.text("id");
  const run = new Publishing(connection, { topic, timeout, print: display(topic, isJSON, console) });
  if (data !== undefined) await run.publish(data, id);
  else {
    const all = run.publishAll(linesOf(console), id, console.interrupted);
    await Promise.race([all, connection.closed, stopped]);
  }
  await run.settled();
  return report(run, await connection.close(), data === undefined, console);
}

interface PublishingOptions {
  readonly topic: string;
  /** Milliseconds until a message counts as not confirmed. */
  readonly timeout: number;
  readonly print: (published: Published, message: number) => void;
}

class Publishing {
  confirmed = 0;
  /** The input has ended, and all of it has been sent. */
  isComplete = false;
  /** The first message that was not confirmed. */
  failure: { readonly message: number; readonly error: unknown } | null = null;
  readonly #connection: Connection;
  readonly #options: PublishingOptions;
  #messages = 0;
  /** Settles when the newest message, and all before it, have been decided. */
  #last: Promise<void> = Promise.resolve();

  constructor(connection: Connection, options: PublishingOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** @param id begins the id of each message, so that the same lines are published once */
  async publishAll(
    messages: AsyncIterable<Message>,
    id: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const inFlight: Promise<void>[] = [];
    for await (const message of messages) {
      if (signal.aborted) return;
      const number = this.#messages + 1;
      inFlight.push(this.publish(message, id === undefined ? undefined : `${id}-${number}`));
      if (inFlight.length >= WINDOW) await inFlight.shift();
      if (this.failure !== null) return;
    }
    this.isComplete = true;
  }

  /** Resolves when the message, and all before it, have been decided. Never rejects. */
  publish(data: Message, id: string | undefined): Promise<void> {
    const number = ++this.#messages;
    const { topic, timeout, print } = this.#options;
    const result = inTime(publish(this.#connection, topic, data, id === undefined ? {} : { id }), timeout);
    result.catch(() => undefined); // It is awaited below, after the messages before it.
    this.#last = this.#last.then(async () => {
      try {
        print(await result, number);
        this.confirmed++;
      } catch (error) {
        this.failure ??= { message: number, error };
      }
    });
    return this.#last;
  }

  settled(): Promise<void> {
    return this.#last;
  }
}

class NotConfirmed extends Error {}

function inTime<Result>(result: Promise<Result>, milliseconds: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onLate = (): void => {
      reject(
        new NotConfirmed(
          `The server did not confirm it within ${milliseconds} ms. Check that it calls topics.open() with \`publish\`.`,
        ),
      );
    };
    const timer = setTimeout(onLate, milliseconds);
    result.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

/** Messages of stdin: a line each. */
function linesOf(console: Console): AsyncIterable<Message> {
  return messagesOf(console.input, { kind: "lines" }) as AsyncIterable<Message>; // Lines are not sent in fragments.
}

function display(
  topic: string,
  isJSON: boolean,
  console: Console,
): (published: Published, message: number) => void {
  return ({ offset, epoch, isDuplicate }, message) => {
    const place = offset === null ? "" : `: offset ${offset}, epoch ${epoch ?? ""}`;
    const text = `${isDuplicate ? "was published before" : "published"}${place}`;
    console.print(isJSON ? jsonLine({ message, topic, offset, epoch, isDuplicate }) : escaped(text));
  };
}

function report(run: Publishing, info: CloseInfo, isPipe: boolean, console: Console): number {
  const { failure, confirmed, isComplete } = run;
  const { hasReaderExited, interrupted } = console;
  if (failure === null) {
    if (isComplete || !isPipe) return EXIT.ok;
    if (interrupted.aborted && !hasReaderExited) return EXIT.interrupted;
    const reason = hasReaderExited
      ? "The reader of stdout exited before stdin ended."
      : escaped(explain(info));
    console.say(`holdfast: ${reason}`);
  } else {
    const { message, error } = failure;
    // The command line is wrong, not the connection.
    if (error instanceof InvalidArgumentError) throw error;
    if (!(error instanceof HoldfastError || error instanceof NotConfirmed)) throw error;
    const subject = isPipe ? `Message ${message} was not confirmed. ` : "";
    console.say(`holdfast: ${subject}${escaped(error.message)}`);
  }
  if (isPipe)
    console.say(`holdfast: ${confirmed} ${confirmed === 1 ? "message was" : "messages were"} confirmed.`);
  if (interrupted.aborted && !hasReaderExited) return EXIT.interrupted;
  return failure?.error instanceof NotConfirmed ? EXIT.timeout : EXIT.failed;
}
