// `holdfast watch`: stays connected and shows every event.

import { Client, explain, persist, type ClientEvent } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { EXIT } from "../exit-codes.js";
import { openingAdvice } from "../connection/opening-advice.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import { milliseconds } from "../terminal/milliseconds.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { messageText, timeOfDay } from "../terminal/message-text.js";
import { sparkline } from "../terminal/sparkline.js";
import { eventJSON } from "../connection/event-json.js";
import { SessionClient, sessionText, type SessionEvent } from "../connection/session-client.js";

export async function watch(given: Arguments, console: Console): Promise<number> {
  if (given.has("topic")) return (await import("./topics.js")).watchTopics(given, console);
  const url = completeURL(given.operands[0]);
  const client = given.has("session")
    ? new SessionClient(url, peerOptions(given))
    : new Client(url, peerOptions(given));
  const isJSON = given.has("json") || !console.isOutputTerminal;
  const display = isJSON
    ? (event: ClientEvent | SessionEvent) => console.print(eventJSON(event))
    : liveDisplay(console, given.has("full"));
  const stop = (): void => void client.close();
  console.interrupted.addEventListener("abort", stop, { once: true });
  let hasAdvised = false;
  for await (const event of client instanceof SessionClient ? client : persist(client)) {
    display(event);
    if (event.type !== "disconnected" || event.error === null || hasAdvised) continue;
    const advice = await openingAdvice(event.error, url, given);
    hasAdvised = advice !== null;
    if (advice !== null) console.say(escaped(advice));
  }
  console.showStatus(null);
  return console.interrupted.aborted ? EXIT.interrupted : EXIT.failed;
}

/** The display on a terminal: messages, the reason of each end, and a status line with the latency. */
function liveDisplay(console: Console, isFull: boolean): (event: ClientEvent | SessionEvent) => void {
  const { style } = console;
  const roundTrips: (number | null)[] = [];
  let state = "connecting";
  let opened = 0;
  const line = (event: ClientEvent | SessionEvent, text: string): void =>
    console.print(`${style.dim(timeOfDay(event.receivedAt))} ${text}`);
  return (event) => {
    switch (event.type) {
      case "connecting":
        state = event.attempt === 1 ? "connecting" : `connecting, attempt ${event.attempt}`;
        break;
      case "ready":
        opened++;
        state = "open";
        line(event, style.good(`open: ${escaped(event.connection.url)}`));
        break;
      case "text":
        line(event, `< ${messageText(event.text, isFull)}`);
        break;
      case "binary":
        line(event, `< ${messageText(event.data, isFull)}`);
        break;
      case "pong":
        if (event.roundTrip !== null) roundTrips.push(event.roundTrip);
        if (roundTrips.length > 200) roundTrips.shift();
        break;
      case "suspect":
        line(event, style.warning(`suspect: silent for ${(event.silence / 1000).toFixed(1)} s`));
        break;
      case "unresponsive":
        roundTrips.push(null);
        break;
      case "disconnected":
        state = "disconnected";
        line(event, style.bad(escaped(explain(event.info))));
        break;
      case "backOff":
        state = `next attempt in ${(event.delay / 1000).toFixed(1)} s`;
        line(
          event,
          style.warning(`waiting ${(event.delay / 1000).toFixed(1)} s before attempt ${event.attempt + 1}`),
        );
        break;
      case "session":
      case "resumed":
      case "lost": {
        const text = sessionText(event) ?? "";
        line(event, event.type === "lost" ? style.bad(text) : style.good(text));
        break;
      }
      default:
        break;
    }
    const last = roundTrips.findLast((time) => time !== null);
    const latency = last === undefined ? "" : ` ${milliseconds(last)} ms ${sparkline(roundTrips, 30)}`;
    const reconnects = opened > 1 ? ` (${opened - 1} reconnects)` : "";
    console.showStatus(`${state}${reconnects}${latency}`.slice(0, console.width - 1));
  };
}
