// The page: a chat over topics, which continue from their own position on whichever process the page is connected to.

import { connectPersistent, NotSentError } from "holdfast/browser";
import { subscribe } from "holdfast/topics";
import { ROOMS, type Post, type Reply, type Request, type Room, type ServerStatus } from "../protocol.js";
import { element, make, say } from "./elements.js";
import { EventLog } from "./event-log.js";
import { Rooms } from "./rooms.js";
import { Servers } from "./servers.js";
import { Tally } from "./tally.js";

/** Milliseconds between two automatic kills. */
const KILL_INTERVAL = 10_000;

const log = new EventLog(element("log", HTMLOListElement));
const tally = new Tally();
const name = ownName();
const rooms = new Rooms(name, (room) => tell({ type: "enter", room }));
const servers = new Servers((server) => void kill(server));

const link = connectPersistent(`ws://${location.host}/?name=${encodeURIComponent(name)}`, {
  session: true,
  linkProtocol: "required",
  // For the demo: reconnect soon. The defaults spare a server with many clients.
  minDelay: 50,
  firstDelay: 300,
  maxDelay: 1_000,
  pingInterval: 2_000,
  pingTimeout: 4_000,
});
let reconnects = 0;
link.on("detached", ({ info }) => {
  servers.setOwn(null, "");
  log.add(`Disconnected: ${info.message}`);
});
link.on("resumed", ({ gap, replayedOut }) => {
  reconnects++;
  log.add(`Session resumed after ${Math.round(gap)} ms. ${replayedOut} messages are sent again.`);
});
link.on("lost", ({ reason }) => log.add(`Session lost: ${reason}`));
void link.forEach((message) => onReply(JSON.parse(String(message)) as Reply));
addEventListener("pagehide", () => void link.close());
for (const room of ROOMS) void read(room);

/** A room's posts: first those of its history, and then each new one. */
async function read(room: Room): Promise<void> {
  let isFirst = true;
  // No position is known yet, so a gap comes first, and then all that the history has.
  for await (const event of subscribe(link, room, { since: { epoch: "none", offset: 0 } })) {
    if (event.type === "message") {
      const post = JSON.parse(String(event.data)) as Post; // Only chat servers publish.
      tally.add(post);
      rooms.add(room, post);
      document.getElementById(`waiting ${post.id}`)?.remove();
    } else if (!isFirst) {
      tally.gaps++;
      log.add(`Gap in #${room}: messages are lost.`);
    }
    isFirst = false;
  }
}

function onReply(reply: Reply): void {
  if (reply.type === "people") {
    servers.setPeople(reply.room, reply.people);
  } else {
    servers.setOwn(reply.server, reply.you);
    log.add(`Connected to ${reply.server.name}, process ${reply.server.pid}.`);
    tell({ type: "enter", room: rooms.shown }); // A new process does not know the room yet.
  }
}

function tell(request: Request): void {
  link.send(JSON.stringify(request)).catch(() => undefined); // "lost" reports it.
}

/** Sent again after its session was lost, with the same id: it is published once. */
async function publish(room: Room, text: string): Promise<void> {
  const id = `${name} ${Date.now().toString(36)} ${Math.random().toString(36).slice(2)}`;
  const waiting = make("li", "", `${text} – being sent …`);
  waiting.id = `waiting ${id}`;
  element("waiting", HTMLUListElement).append(waiting);
  const request: Request = { type: "say", room, post: { id, from: name, text } };
  for (let isSent = false; !isSent;) {
    isSent = await link.send(JSON.stringify(request), { until: "delivered" }).then(
      () => true,
      (error: unknown) => !(error instanceof NotSentError && error.reason === "session-lost"),
    );
  }
}

const input = element("text", HTMLInputElement);
element("compose", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (text !== "") void publish(rooms.shown, text);
  input.value = "";
});

const nameInput = element("name", HTMLInputElement);
nameInput.value = name;
nameInput.addEventListener("change", () => {
  sessionStorage.setItem("name", nameInput.value.trim());
  location.reload();
});

async function kill(server: string): Promise<void> {
  const response = await fetch("/kill", { method: "POST", body: server }).catch(() => null);
  log.add(response?.ok === true ? `${server} was killed (SIGKILL).` : `${server} could not be killed.`);
}

const automatic = element("automatic", HTMLInputElement);
let killer: ReturnType<typeof setInterval> | undefined;
automatic.addEventListener("change", () => {
  clearInterval(killer);
  if (!automatic.checked) return;
  const killNext = (): void => {
    const { target } = servers;
    if (target !== null) void kill(target);
  };
  killNext();
  killer = setInterval(killNext, KILL_INTERVAL);
});

const stream = new EventSource("/servers");
stream.addEventListener("message", ({ data }) => {
  const { servers: statuses, canKill } = JSON.parse(String(data)) as {
    readonly servers: readonly ServerStatus[];
    readonly canKill: boolean;
  };
  servers.setStatuses(statuses, canKill);
  element("automatic-label", HTMLElement).hidden = !canKill;
});

setInterval(() => {
  const { received, missing, repeated, gaps } = tally;
  for (const [id, value] of Object.entries({ received, missing, repeated, gaps, reconnects })) {
    const cell = element(id, HTMLElement);
    say(cell, value.toLocaleString("en"));
    if (id === "missing" || id === "repeated" || id === "gaps")
      cell.dataset["tone"] = value === 0 ? "good" : "dead";
  }
  const { state } = link.status;
  const { latency } = link;
  say(
    element("link-state", HTMLElement),
    state === "open" ? `connected${latency === null ? "" : `, ${latency.toFixed(1)} ms`}` : state,
  );
}, 200);

function ownName(): string {
  const given = sessionStorage.getItem("name")?.trim().slice(0, 24) ?? "";
  if (given !== "") return given;
  const made = `Guest ${100 + Math.floor(Math.random() * 900)}`;
  sessionStorage.setItem("name", made);
  return made;
}
