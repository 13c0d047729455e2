// The verb `holdfast connect`: its options and its help.

import { KEEPALIVE_OPTIONS, PEER_OPTIONS, SESSION_OPTIONS } from "../connection/peer-options.js";
import type { Verb } from "../verb.js";

export const connectVerb: Verb = {
  name: "connect",
  summary: "talk to a server: type messages, see the answers",
  operands: "<url>",
  operandCount: [1, 1],
  unit: "ms",
  options: {
    execute: {
      short: "x",
      value: "MESSAGE",
      isList: true,
      help: "send this message after connecting, instead of reading stdin; may be repeated",
    },
    binary: {
      value: "SIZE",
      isValueOptional: true,
      help: "treat stdin and stdout as bytes: a binary message per read, per SIZE bytes, or for all",
    },
    wait: {
      value: "TIME",
      help: "after the input, close when nothing was received for this long (1s), or off",
    },
    reconnect: { help: "reconnect when the connection is lost, with growing delays" },
    ...SESSION_OPTIONS,
    json: { help: "print one JSON object per line" },
    full: { help: "show long messages in full on a terminal" },
    heartbeat: { value: "TIME", help: "ping at this interval; give up when a pong takes longer than that" },
    ...KEEPALIVE_OPTIONS,
    ...PEER_OPTIONS,
  },
  notes: `On a terminal each line is a message; /help lists the commands, Ctrl-D or Ctrl-C closes. In a pipe each line of stdin
is a message (binary if it is not UTF-8), and each message of the server is printed as a line:

  holdfast connect wss://example.com/feed
  holdfast connect -x '{"subscribe":"ticker"}' --wait 5s wss://example.com/feed
  echo '{"subscribe":"ticker"}' | holdfast connect --wait off --reconnect wss://example.com/feed
  holdfast connect --session --wait off wss://example.com/orders < orders.ndjson
  holdfast connect --binary=all wss://example.com/upload < picture.png`,
  run: async (given, console) => (await import("./run.js")).connect(given, console),
};
