// The log of events, the newest first. The element is a live region: screen readers read out added lines.

const MAX_LINES = 100;

export class EventLog {
  readonly #list: HTMLOListElement;
  /** The newest line. It counts how often the same text was logged in a row. */
  #newest: { readonly text: string; readonly line: HTMLElement; count: number } | null = null;

  constructor(list: HTMLOListElement) {
    this.#list = list;
  }

  add(text: string): void {
    if (this.#newest?.text === text) {
      this.#newest.count += 1;
      this.#newest.line.textContent = `${text} (${this.#newest.count} times)`;
      return;
    }
    const line = document.createElement("li");
    const time = document.createElement("time");
    const now = new Date();
    time.dateTime = now.toISOString();
    time.textContent = now.toTimeString().slice(0, 8);
    const what = document.createElement("span");
    what.textContent = text;
    line.append(time, what);
    this.#newest = { text, line: what, count: 1 };
    this.#list.prepend(line);
    while (this.#list.children.length > MAX_LINES) this.#list.lastElementChild?.remove();
  }
}
