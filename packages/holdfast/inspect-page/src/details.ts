// The panel with everything about one connection, its actions and its frames; or about one ending.

import type {
  ActionName,
  ConnectionRow,
  EndingRow,
  InspectAnswer,
  RowWindow,
  WatchedFrames,
} from "../../build/server/inspect/wire.js";
import { button, find, make, setText } from "./elements.js";
import { bytes, count, duration, milliseconds, timeOfDay } from "./format.js";
import { badgesOf } from "./table.js";

export interface DetailsHandler {
  readonly mayAct: boolean;
  act(action: ActionName, id: string): Promise<InspectAnswer | null>;
  explain(ending: number): Promise<InspectAnswer | null>;
}

const MOST_FRAMES = 500;

export class Details {
  readonly #dialog = find("details", HTMLDialogElement);
  readonly #title = find("details-title", HTMLHeadingElement);
  readonly #body = find("details-body", HTMLDivElement);
  readonly #handler: DetailsHandler;
  #id: string | null = null;
  #facts = make("dl", "facts");
  #result = make("p", "muted");
  #frames = make("ol", "frames");

  constructor(handler: DetailsHandler) {
    this.#handler = handler;
    find("details-close", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => {
      if (this.#id !== null && !this.#frames.hidden) void this.#handler.act("unwatch", this.#id);
      this.#id = null;
    });
  }

  open(row: ConnectionRow | EndingRow): void {
    setText(this.#title, row.address ?? row.id);
    this.#facts = make("dl", "facts");
    this.#body.replaceChildren(this.#facts);
    if ("number" in row) this.#showEnding(row);
    else this.#showConnection(row);
    this.#dialog.showModal();
  }

  /** The newest rows and frames; the connection of the panel may be among them. */
  update({ connections }: RowWindow, watch: WatchedFrames | null): void {
    if (this.#id === null) return;
    const row = connections.find(({ id }) => id === this.#id);
    if (row !== undefined) fillFacts(this.#facts, factsOf(row));
    if (watch?.connection === this.#id) this.#addFrames(watch);
  }

  #showConnection(row: ConnectionRow): void {
    this.#id = row.id;
    fillFacts(this.#facts, factsOf(row));
    if (!this.#handler.mayAct) return;
    this.#result = make("p", "muted");
    this.#result.setAttribute("role", "status");
    this.#frames = make("ol", "frames");
    this.#frames.hidden = true;
    this.#frames.tabIndex = 0;
    this.#frames.setAttribute("aria-label", "Frames");
    const { id } = row;
    const actions = make(
      "div",
      "actions",
      button("Ping", "", () => void this.#act("ping", id)),
      button("Watch frames for 30 s", "", () => void this.#act("watch", id)),
      this.#dangerous("Close", "close", id),
      this.#dangerous("Terminate", "terminate", id),
    );
    this.#body.append(actions, this.#result, this.#frames);
  }

  /** The first press asks, the second acts. */
  #dangerous(name: string, action: ActionName, id: string): HTMLButtonElement {
    let isSure = false;
    const element = button(name, "danger", () => {
      if (isSure) void this.#act(action, id);
      isSure = !isSure;
      setText(element, isSure ? `${name}: press again` : name);
    });
    element.addEventListener("blur", () => {
      isSure = false;
      setText(element, name);
    });
    return element;
  }

  async #act(action: ActionName, id: string): Promise<void> {
    setText(this.#result, action === "ping" ? "Waiting for the pong …" : "…");
    const answer = await this.#handler.act(action, id);
    if (this.#id !== id) return;
    setText(this.#result, answer !== null && "text" in answer ? answer.text : "The stream was lost.");
    if (action !== "watch" || answer?.type !== "acted") return;
    this.#frames.hidden = false;
    this.#frames.replaceChildren();
  }

  #addFrames({ frames, dropped, left }: WatchedFrames): void {
    const isAtEnd = this.#frames.scrollTop + this.#frames.clientHeight >= this.#frames.scrollHeight - 20;
    for (const { at, direction, name, length, notes, text } of frames) {
      const arrow = direction === "received" ? "<" : ">";
      const more = [...notes, `${count(length)} bytes`].join(", ");
      this.#frames.append(
        make(
          "li",
          direction,
          `${timeOfDay(at)} ${arrow} ${name} [${more}]${text === null ? "" : ` ${text}`}`,
        ),
      );
    }
    if (dropped > 0) this.#frames.append(make("li", "muted", `${count(dropped)} more frames are not shown`));
    while (this.#frames.childElementCount > MOST_FRAMES) this.#frames.firstElementChild?.remove();
    if (isAtEnd) this.#frames.scrollTop = this.#frames.scrollHeight;
    setText(
      this.#result,
      left === 0 ? "The watch has ended." : `Watching frames for another ${Math.ceil(left / 1_000)} s.`,
    );
  }

  #showEnding(row: EndingRow): void {
    this.#id = null;
    const { id, path, at, age, code, reason, cause } = row;
    fillFacts(this.#facts, [
      ["Id", id],
      ["Path", path],
      ["Ended", timeOfDay(at)],
      ["Open for", duration(age)],
      ["Cause", cause],
      ["Code", String(code)],
      ["Reason", reason === "" ? "none" : reason],
    ]);
    const explanation = make("p", "explanation", "…");
    explanation.setAttribute("role", "status");
    this.#body.append(explanation);
    void this.#handler.explain(row.number).then((answer) => {
      setText(explanation, answer !== null && "text" in answer ? answer.text : "The stream was lost.");
    });
  }
}

function factsOf(row: ConnectionRow): readonly (readonly [string, string])[] {
  const {
    id,
    path,
    age,
    latency,
    jitter,
    samples = [],
    buffered = 0,
    unread = 0,
    session,
    topics = [],
  } = row;
  const hidden = (row.topicCount ?? 0) - topics.length;
  return [
    ["Id", id],
    ["Path", path],
    [
      "State",
      badgesOf(row)
        .map(([badge]) => badge)
        .join(", "),
    ],
    ["Open for", duration(age)],
    ["Latency", latency === undefined ? "no pong yet" : milliseconds(latency)],
    ["Jitter", jitter === undefined ? "–" : milliseconds(jitter)],
    ["Newest round trips", samples.length === 0 ? "–" : `${samples.join(", ")} ms`],
    ["Buffered", bytes(buffered)],
    ["Unread", `${count(unread)} messages`],
    ["Session", session ?? "none"],
    [
      "Topics",
      topics.length === 0 ? "none" : topics.join(", ") + (hidden > 0 ? ` and ${count(hidden)} more` : ""),
    ],
  ];
}

function fillFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  facts.forEach(([name, value], index) => {
    const term = list.children[2 * index] ?? list.appendChild(make("dt"));
    const definition = list.children[2 * index + 1] ?? list.appendChild(make("dd"));
    setText(term, name);
    setText(definition, value);
  });
}
