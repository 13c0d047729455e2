// `holdfast watch --topic`: prints the messages of topics, and continues each one after a lost connection.

import { connectPersistent, explain } from "../../index.js";
import { subscribe, type Position, type TopicEvent } from "../../topics.js";
import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import { EXIT } from "../exit-codes.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { jsonLine } from "../terminal/json.js";
import { messageText, timeOfDay } from "../terminal/message-text.js";

/** Messages and gaps go to stdout, the ends of connections to stderr. */
export async function watchTopics(given: Arguments, console: Console): Promise<number> {
  if (given.has("session")) {
    throw new UsageError(
      "`--topic` continues from its own position without a session: leave `--session` out.",
    );
  }
  const link = connectPersistent(completeURL(given.operands[0]), {
    ...peerOptions(given),
    linkProtocol: "required",
  });
  console.interrupted.addEventListener("abort", () => void link.close(), { once: true });
  const isJSON = given.has("json") || !console.isOutputTerminal;
  const print = isJSON ? jsonDisplay(console) : textDisplay(console, given.has("full"));
  link.on("status", (status) => {
    if (status.state === "waiting") console.say(`holdfast: ${escaped(explain(status.info))}`);
  });
  if (!isJSON) {
    link.on("open", ({ connection }) => console.say(`holdfast: connected to ${escaped(connection.url)}`));
  }
  // Other messages are dropped: unread ones would pause reading.
  void link.forEach(() => undefined).catch(() => undefined);

  const watchOne = async (topic: string): Promise<void> => {
    for await (const event of subscribe(link, topic)) print(event);
    if (!console.interrupted.aborted) {
      console.say(`holdfast: The server has ended the subscription to ${JSON.stringify(topic)}.`);
    }
  };
  try {
    await Promise.all([...new Set(given.list("topic"))].map(watchOne));
  } catch (error) {
    if (!console.interrupted.aborted) throw error;
  } finally {
    await link.close();
  }
  return console.interrupted.aborted ? EXIT.interrupted : EXIT.failed;
}

function jsonDisplay(console: Console): (event: TopicEvent) => void {
  return (event) => {
    const { type, topic } = event;
    const receivedAt = Date.now();
    if (type === "gap") {
      const { after, position } = event;
      console.print(jsonLine({ type, receivedAt, topic, after, position }));
      return;
    }
    const { offset, epoch, data } = event;
    const content =
      typeof data === "string" ? { text: data } : { base64: Buffer.from(data).toString("base64") };
    console.print(jsonLine({ type, receivedAt, topic, offset, epoch, ...content }));
  };
}

function textDisplay(console: Console, isFull: boolean): (event: TopicEvent) => void {
  const { style } = console;
  return (event) => {
    const begin = `${style.dim(timeOfDay(Date.now()))} ${style.bold(escaped(event.topic))}`;
    if (event.type === "gap") {
      const text = `gap: messages after ${place(event.after)} are missing, up to ${place(event.position)}`;
      console.print(`${begin} ${style.bad(text)}`);
    } else {
      const offset = event.offset === null ? "" : `${event.offset} `;
      console.print(`${begin} ${style.dim(offset)}${messageText(event.data, isFull)}`);
    }
  };
}

function place(position: Position | null): string {
  return position === null ? "an unknown one" : String(position.offset);
}
