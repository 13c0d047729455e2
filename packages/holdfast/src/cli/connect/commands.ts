// Parses a typed line: a message, or a command that begins with a slash.

import { CLOSE_CODES, parseCloseCode } from "../arguments/arguments.js";
import { suggestionFor } from "../arguments/suggestion.js";

export type Command =
  | { readonly kind: "send"; readonly data: string | Uint8Array }
  | { readonly kind: "ping"; readonly payload: string }
  | { readonly kind: "pong"; readonly payload: string }
  | { readonly kind: "close"; readonly code: number; readonly reason: string }
  | { readonly kind: "latency" }
  | { readonly kind: "help" }
  | { readonly kind: "mistake"; readonly message: string };

export const COMMAND_HELP = `/ping [text]            send a ping, show the round trip
/pong [text]            send an unsolicited pong
/binary <hex>           send bytes: /binary 00 ff 10
/close [code] [reason]  close the connection (1000)
/latency                show the round-trip times so far
/help                   show this list
//text                  send a message that begins with a slash`;

const NAMES = ["/ping", "/pong", "/binary", "/close", "/latency", "/help"];

export function parseCommand(line: string): Command {
  if (!line.startsWith("/")) return { kind: "send", data: line };
  if (line.startsWith("//")) return { kind: "send", data: line.slice(1) };
  const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  switch (name) {
    case "/ping":
      return { kind: "ping", payload: rest };
    case "/pong":
      return { kind: "pong", payload: rest };
    case "/binary":
      return parseBinary(rest);
    case "/close":
    case "/quit":
      return parseClose(rest);
    case "/latency":
      return { kind: "latency" };
    case "/help":
      return { kind: "help" };
    default:
      return mistake(
        `There is no command ${name}.${suggestionFor(name, NAMES)} /help lists them; //text sends text that begins with a slash.`,
      );
  }
}

function parseBinary(text: string): Command {
  const digits = text.replaceAll(/\s+|0x/g, "");
  if (/^(?:[\da-f]{2})*$/i.test(digits))
    return { kind: "send", data: Uint8Array.from(Buffer.from(digits, "hex")) };
  return mistake(`Expected pairs of hexadecimal digits, such as /binary 00 ff 10, got "${text}".`);
}

function parseClose(text: string): Command {
  const [, first = "", reason = ""] = /^(\S*)\s*(.*)$/s.exec(text) ?? [];
  if (first === "") return { kind: "close", code: 1000, reason: "" };
  const code = parseCloseCode(first);
  if (code !== null) return { kind: "close", code, reason };
  return mistake(`Expected ${CLOSE_CODES}, such as /close 4000 bye, got "${first}".`);
}

function mistake(message: string): Command {
  return { kind: "mistake", message };
}
