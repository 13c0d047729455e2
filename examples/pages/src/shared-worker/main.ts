// A tab: it shows the messages of the shared connection, and sends through it.

import { CHANNEL, type TabMessage, type WorkerMessage } from "./messages.js";

const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module" });
const channel = new BroadcastChannel(CHANNEL);

const element = <Type extends HTMLElement>(id: string, type: new () => Type): Type => {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`Expected an element with the id ${id}`);
  return found;
};
const text = element("text", HTMLInputElement);

const show = ({ data }: MessageEvent<WorkerMessage>): void => {
  if ("state" in data) {
    element("state", HTMLOutputElement).textContent = data.state;
    return;
  }
  const line = document.createElement("li");
  line.textContent = data.received;
  element("messages", HTMLUListElement).append(line);
};
channel.onmessage = show;
worker.port.onmessage = show;

element("form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  worker.port.postMessage({ send: text.value } satisfies TabMessage);
  text.value = "";
});
