// `holdfast connect`: talk to a server, by hand or from a program.

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, explain, heartbeat, HoldfastError, type CloseInfo, type Connection } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { EXIT } from "../exit-codes.js";
import { completeURL, KEEPALIVE_OPTIONS, PEER_OPTIONS, peerOptions } from "../peer-options.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { connecting, withProgress } from "../terminal/progress.js";
import type { Verb } from "../verb.js";
import { Conversation } from "./conversation.js";
import { openPrompt } from "./prompt.js";
import { STATUS_EVERY, StatusLine } from "./status-line.js";
import { jsonTalk, personTalk, plainTalk, type Talk } from "./talk.js";
import { jsonLine } from "../terminal/json.js";

export const connectVerb: Verb = {
  name: "connect",
  summary: "talk to a server: type messages, see the answers",
  operands: "<url>",
  operandCount: [1, 1],
  options: {
    json: { help: "one JSON object per line on stdout" },
    wait: {
      value: "MS",
      help: "at the end of piped input, wait for answers until so long nothing came (1000)",
    },
    heartbeat: { value: "MS", help: "ping at this interval, and give up when a pong takes as long" },
    ...KEEPALIVE_OPTIONS,
    ...PEER_OPTIONS,
  },
  notes: `On a terminal each line is a message; /help lists the commands, Ctrl-D or Ctrl-C closes. From a pipe each line is
a message as well, and every message of the server is a line of stdout:

  holdfast connect wss://example.com/feed
  echo '{"subscribe":"ticker"}' | holdfast connect --wait 5s wss://example.com/feed`,
  run: converse,
};

async function converse(given: Arguments, console: Console): Promise<number> {
  const quietTime = given.duration("wait", "ms", 1000);
  const beat = given.duration("heartbeat", "ms", null);
  if (beat === null && given.has("heartbeat"))
    throw new UsageError("Leave `--heartbeat` out to switch it off.");
  const url = completeURL(given.operands[0]);
  const options = { ...peerOptions(given), signal: console.interrupted };
  const connection = await withProgress(console, connecting(url), () => connect(url, options));
  console.interrupted.addEventListener("abort", () => void connection.close(), { once: true });
  const tooSlow = beat === null ? () => null : watchHeartbeat(connection, beat);
  const isJson = given.has("json");
  const info =
    console.isInputTerminal && console.isOutputTerminal && !isJson
      ? await byHand(connection, console)
      : await byPipe(connection, isJson ? jsonTalk(console) : plainTalk(console), console, quietTime);
  if (isJson) console.print(jsonLine({ type: "disconnected", ...plainInfo(info) }));
  const slowness = tooSlow();
  if (slowness !== null) console.say(`holdfast: ${slowness.message}`);
  if (!info.ok) console.say(`holdfast: ${escaped(explain(info))}`);
  if (console.interrupted.aborted) return EXIT.interrupted;
  if (info.ok) return EXIT.ok;
  const isLate = slowness !== null || info.cause === "heartbeat-timeout" || info.cause === "close-timeout";
  return isLate ? EXIT.timeout : EXIT.failed;
}

async function byHand(connection: Connection, console: Console): Promise<CloseInfo> {
  const prompt = openPrompt(console, {
    onLine: (line) => void conversation.onTypedLine(line),
    onEnd: () => void connection.close(),
    onInterrupt: () => void connection.close(),
  });
  const talk = personTalk(prompt.console);
  const conversation = new Conversation(connection, talk, prompt.console);
  talk.note(openingText(connection), { type: "ready" });
  connection.on("ping", () => talk.note("ping from the server, answered", { type: "ping" }));
  connection.on("overdue", ({ elapsed }) =>
    talk.note(`no pong for ${(elapsed / 1000).toFixed(1)} s`, { type: "overdue" }),
  );
  const status = new StatusLine(connection);
  const showStatus = (): void => prompt.showStatus(status.text());
  const timer = setInterval(showStatus, STATUS_EVERY);
  showStatus();
  const info = await connection.forEach((message) => talk.onMessage(message));
  clearInterval(timer);
  if (info.ok) talk.note(`closed: ${escaped(info.message)}`, { type: "disconnected" });
  prompt.close();
  return info;
}

async function byPipe(
  connection: Connection,
  talk: Talk,
  console: Console,
  quietTime: number | null,
): Promise<CloseInfo> {
  let quietSince = performance.now();
  const { url, subprotocol, extensions } = connection;
  const opened = { type: "ready", url, subprotocol, extensions };
  talk.note("open", opened);
  const ended = connection.forEach((message) => {
    quietSince = performance.now();
    talk.onMessage(message);
  });
  const conversation = new Conversation(connection, talk, console);
  const lines = createInterface({ input: console.input, crlfDelay: Infinity });
  connection.signal.addEventListener("abort", () => lines.close(), { once: true });
  for await (const line of lines) await conversation.onPipedLine(line);
  // What was sent last wants an answer as well.
  quietSince = Math.max(quietSince, performance.now());
  while (connection.state === "open" && quietTime !== null) {
    const wait = quietSince + quietTime - performance.now();
    if (wait <= 0) break;
    await sleep(wait, undefined, { signal: connection.signal }).catch(() => undefined);
  }
  if (quietTime !== null) await connection.close();
  return ended;
}

/** Trio's recipe: a ping each `interval`, whose pong must not take longer. Returns what tells of one that did. */
function watchHeartbeat(connection: Connection, interval: number): () => HoldfastError | null {
  let slowness: HoldfastError | null = null;
  heartbeat(connection, { interval, timeout: interval }).catch((error: unknown) => {
    if (connection.state === "closed" || !(error instanceof HoldfastError)) return;
    slowness = error;
    connection.terminate();
  });
  return () => slowness;
}

function openingText({ url, subprotocol, extensions }: Connection): string {
  const agreed = [subprotocol === null ? [] : [`subprotocol ${subprotocol}`], extensions].flat().map(escaped);
  const details = agreed.length === 0 ? "" : ` (${agreed.join(", ")})`;
  return `connected to ${escaped(url)}${details}; /help lists commands, Ctrl-D closes`;
}

function plainInfo({ code, reason, clean, ok, initiator, cause, message, evidence }: CloseInfo): object {
  return { code, reason, clean, ok, initiator, cause, message, evidence };
}
