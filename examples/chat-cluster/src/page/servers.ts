// A card for each process: its state, the people on it, and the button that kills it.

import type { Person, Room, ServerIdentity, ServerStatus } from "../protocol.js";
import { element, make, say } from "./elements.js";

interface Card {
  readonly root: HTMLElement;
  readonly state: HTMLElement;
  readonly detail: HTMLElement;
  readonly people: HTMLElement;
  readonly kill: HTMLButtonElement;
}

export class Servers {
  readonly #cards = new Map<string, Card>();
  #statuses: readonly ServerStatus[] = [];
  #canKill = true;
  readonly #people = new Map<Room, readonly Person[]>();
  /** The process that this page is connected to; null without a connection. */
  #own: ServerIdentity | null = null;
  #ownId = "";
  readonly #onKill: (name: string) => void;

  constructor(onKill: (name: string) => void) {
    this.#onKill = onKill;
  }

  setStatuses(statuses: readonly ServerStatus[], canKill: boolean): void {
    this.#statuses = statuses;
    this.#canKill = canKill;
    this.#show();
  }

  setOwn(server: ServerIdentity | null, id: string): void {
    this.#own = server;
    this.#ownId = id;
    this.#show();
  }

  setPeople(room: Room, people: readonly Person[]): void {
    this.#people.set(room, people);
    this.#show();
  }

  /** The process that this page is connected to, if it is up; otherwise any other. */
  get target(): string | null {
    const up = this.#statuses.filter(({ state }) => state === "up");
    return (up.find(({ name }) => name === this.#own?.name) ?? up.at(0))?.name ?? null;
  }

  #show(): void {
    for (const status of this.#statuses) {
      const card = this.#cards.get(status.name) ?? this.#addCard(status.name);
      const isOwn = this.#own?.name === status.name && status.state === "up";
      card.root.dataset["state"] = status.state;
      card.root.classList.toggle("own", isOwn);
      say(card.state, status.state === "up" ? (isOwn ? "up · you are here" : "up") : "killed · starts again");
      const process = status.pid === null ? "" : `process ${status.pid}`;
      const kills =
        status.kills === 0 ? "" : `killed ${status.kills === 1 ? "once" : `${status.kills} times`}`;
      say(card.detail, [process, kills].filter(Boolean).join(" · ") || "–");
      card.kill.disabled = status.state !== "up";
      card.kill.hidden = !this.#canKill;
      this.#showPeople(card.people, status);
    }
  }

  #showPeople(list: HTMLElement, { name, pid, state }: ServerStatus): void {
    const all = [...this.#people].flatMap(([room, people]) => people.map((person) => ({ room, ...person })));
    const here = all.filter(({ server }) => server.name === name);
    const chips = here.map((person) => {
      const isGone = state === "down" || (pid !== null && person.server.pid !== pid);
      const isYou = person.id === this.#ownId && !isGone;
      const chip = make(
        "li",
        isGone ? "gone" : "",
        isYou ? `${person.name} (you)` : person.name,
        make("small", "", `#${person.room}`),
      );
      if (isGone) chip.append(make("small", "", "leaving"));
      return chip;
    });
    list.replaceChildren(...(chips.length > 0 ? chips : [make("li", "nobody", "nobody")]));
  }

  #addCard(name: string): Card {
    const state = make("p", "state");
    const detail = make("p", "detail");
    const people = make("ul", "people");
    const kill = make("button", "kill", "Kill ", make("span", "", name));
    kill.type = "button";
    kill.addEventListener("click", () => this.#onKill(name));
    const root = make("article", "server", make("h3", "", name), state, detail, people, kill);
    element("servers", HTMLElement).append(root);
    const card = { root, state, detail, people, kill };
    this.#cards.set(name, card);
    return card;
  }
}
