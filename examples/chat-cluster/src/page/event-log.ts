// The list of events, the newest first.

import { make } from "./elements.js";

const MAX_LINES = 100;

export class EventLog {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  add(text: string): void {
    const time = make("time", "", new Date().toLocaleTimeString("en-GB"));
    this.#list.prepend(make("li", "", time, make("span", "", text)));
    while (this.#list.childElementCount > MAX_LINES) this.#list.lastElementChild?.remove();
  }
}
