// The page. The server gives it a network of its own for as long as the event stream stays open.

import { Comparison } from "./comparison.js";
import { element, say } from "./elements.js";
import { EventLog } from "./event-log.js";
import { fillPanels } from "./panels.js";
import { FAULTS, type Fault, type StageDescription } from "./stage-description.js";

const DESCRIPTIONS: Readonly<Record<Fault, string>> = {
  heal: "Healthy: everything gets through.",
  slow: "Slow: everything arrives 0.7 s late, each way.",
  freeze: "Frozen: nothing gets through, and neither end is notified.",
  cut: "Cut a moment ago by a reset; it works again.",
};

fillPanels();

const log = new EventLog(element("log", HTMLOListElement));
const linkState = element("link-state", HTMLElement);
const buttons = [...document.querySelectorAll<HTMLButtonElement>("[data-fault]")];

const stream = new EventSource("/stage");
stream.addEventListener("message", ({ data }) => start(JSON.parse(String(data)) as StageDescription), {
  once: true,
});
stream.addEventListener("error", () => {
  // The network ended with the server: a new one would have another address.
  stream.close();
  for (const button of buttons) button.disabled = true;
  say(linkState, "The demonstration's server is gone. Start it, and load this page again.");
});

function start({ id, url }: StageDescription): void {
  const comparison = new Comparison(url, log);
  stream.addEventListener("sent", ({ data }) => comparison.onSent(Number(data)));
  setInterval(() => comparison.show(performance.now()), 250);
  for (const button of buttons) {
    const fault = FAULTS.find((name) => name === button.dataset["fault"]);
    if (fault !== undefined) button.addEventListener("click", () => void apply(id, fault));
  }
}

async function apply(stage: string, kind: Fault): Promise<void> {
  const body = JSON.stringify({ stage, kind });
  const response = await fetch("/fault", { method: "POST", body }).catch(() => null);
  if (response?.ok !== true) {
    log.add(`Link: ${kind} failed: ${response === null ? "no answer" : await response.text()}`);
    return;
  }
  log.add(`Link: ${kind}`);
  say(linkState, DESCRIPTIONS[kind]);
  const pressed = kind === "cut" ? "heal" : kind;
  for (const button of buttons) {
    if (button.dataset["fault"] !== "cut") button.ariaPressed = String(button.dataset["fault"] === pressed);
  }
}
