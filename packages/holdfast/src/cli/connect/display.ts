// The output formats of `holdfast connect`: for a person, messages only, raw bytes, or JSON.

import { hasEndedWell } from "../exit-codes.js";
import type { ClientEvent, Connection, Message } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { messageText, timeOfDay } from "../terminal/message-text.js";
import type { SessionEvent } from "../connection/session-client.js";
import { eventJSON } from "../connection/event-json.js";

export interface Display {
  onEvent(event: ClientEvent | SessionEvent): void;
  /** A message that the user has typed. */
  onSent(data: string | Uint8Array): void;
  /** The answer to a command. */
  note(text: string): void;
}

/** Messages with their direction and time; bytes as hexadecimal digits. */
export function terminalDisplay(console: Console, isFull: boolean): Display {
  const { style } = console;
  const line = (time: number, mark: string, text: string): void =>
    console.print(`${style.dim(timeOfDay(time))} ${mark} ${text}`);
  const note = (text: string, time = Date.now()): void => line(time, style.warning("="), text);
  let pings = 0;
  return {
    onEvent: (event) => {
      const { receivedAt: time } = event;
      if (event.type === "text") line(time, style.good("<"), messageText(event.text, isFull));
      if (event.type === "binary") line(time, style.good("<"), messageText(event.data, isFull));
      if (event.type === "ready") pings = 0;
      if (event.type === "ready") note(openingText(event.connection), time);
      // Many servers send the first ping right after the handshake: not worth a line.
      if (event.type === "ping" && ++pings > 1) note("ping from the server, answered", time);
      if (event.type === "backOff") note(`next attempt in ${(event.delay / 1000).toFixed(1)} s`, time);
      if (event.type === "disconnected" && hasEndedWell(event.info))
        note(`closed: ${escaped(event.info.message)}`, time);
    },
    onSent: (data) => line(Date.now(), style.bold(">"), messageText(data, isFull)),
    note: (text) => note(text),
  };
}

/** One message per line: unchanged in a pipe, made readable on a terminal. */
export function plainDisplay(console: Console, isFull: boolean): Display {
  return messagesOnly((message) => {
    if (console.isOutputTerminal) console.print(messageText(message, isFull));
    else if (typeof message === "string") console.print(message);
    else console.printRaw(Buffer.concat([message, Buffer.from("\n")]));
  });
}

/** The bytes of all messages, without separators. */
export function rawDisplay(console: Console): Display {
  return messagesOnly((message) => console.printRaw(message));
}

/** One object per line, as `holdfast watch` prints it. */
export function jsonDisplay(console: Console): Display {
  return {
    onEvent: (event) => {
      if (JSON_EVENTS.has(event.type)) console.print(eventJSON(event));
    },
    onSent: () => undefined,
    note: () => undefined,
  };
}

const SESSION_EVENTS = ["session", "detached", "resumed", "lost"];
const JSON_EVENTS: ReadonlySet<string> = new Set([
  "ready",
  "text",
  "binary",
  "disconnected",
  "backOff",
  ...SESSION_EVENTS,
]);

function messagesOnly(show: (message: Message) => void): Display {
  return {
    onEvent: (event) => {
      if (event.type === "text") show(event.text);
      if (event.type === "binary") show(event.data);
    },
    onSent: () => undefined,
    note: () => undefined,
  };
}

function openingText({ url, subprotocol, extensions }: Connection): string {
  const agreed = [subprotocol === null ? [] : [`subprotocol ${subprotocol}`], extensions].flat().map(escaped);
  const details = agreed.length === 0 ? "" : ` (${agreed.join(", ")})`;
  return `connected to ${escaped(url)}${details}; /help lists commands, Ctrl-D closes`;
}
