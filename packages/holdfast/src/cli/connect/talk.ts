// How `holdfast connect` shows what happens: for a person, as bare messages, or as JSON.

import type { Message } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { jsonLine } from "../terminal/json.js";

/** What there is to show. */
export interface Talk {
  onMessage(message: Message): void;
  onSent(data: string | Uint8Array): void;
  /** Something about the connection, as a sentence and as an object. */
  note(text: string, json: { readonly type: string }): void;
}

/** Messages with their direction and time; bytes as hexadecimal digits. */
export function personTalk(console: Console): Talk {
  const { style } = console;
  const line = (mark: string, text: string): void =>
    console.print(`${style.dim(timeOfDay())} ${mark} ${text}`);
  return {
    onMessage: (message) => line(style.good("<"), shown(message)),
    onSent: (data) => line(style.bold(">"), shown(data)),
    note: (text) => line(style.warning("="), text),
  };
}

/** Each message as it is, one to a line, for the next program; on a terminal with control characters escaped. */
export function plainTalk(console: Console): Talk {
  return {
    onMessage: (message) => {
      if (typeof message === "string") console.print(console.isOutputTerminal ? escaped(message) : message);
      else if (console.isOutputTerminal) console.print(shown(message));
      else console.printRaw(Buffer.concat([message, Buffer.from("\n")]));
    },
    onSent: () => undefined,
    note: () => undefined,
  };
}

/** One object to a line. Binary messages are in base64. */
export function jsonTalk(console: Console): Talk {
  const print = (event: object): void => console.print(jsonLine({ ...event, receivedAt: Date.now() }));
  return {
    onMessage: (message) =>
      print(
        typeof message === "string"
          ? { type: "text", text: message }
          : { type: "binary", base64: Buffer.from(message).toString("base64") },
      ),
    onSent: () => undefined,
    note: (_text, json) => print(json),
  };
}

function shown(data: string | Uint8Array): string {
  if (typeof data === "string") return escaped(data);
  const digits = Buffer.from(data.subarray(0, 64))
    .toString("hex")
    .replaceAll(/(..)(?=.)/g, "$1 ");
  return `[binary, ${data.length} ${data.length === 1 ? "byte" : "bytes"}] ${digits}${data.length > 64 ? " …" : ""}`;
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}
