import { setTimeout as sleep } from "node:timers/promises";
import { connectPersistent, type PersistentConnection } from "holdfast";
import { eventually } from "holdfast-testkit";
import { CLIENT } from "../timings.js";
import type { Stage } from "./stage.js";
import { ensure, type Step } from "./step.js";

/** The numbers in each direction, and the time between two of them in milliseconds. */
const TOTAL = 200;
const INTERVAL = 10;

/** The numbers after which the network is cut. */
const CUTS = [60, 110, 160];

/** Reconnecting takes at least this long, so that numbers are sent meanwhile. */
const RECONNECTING = { minDelay: 100, firstDelay: 200, maxDelay: 200 };

export const countedStream: Step = {
  title: "A counted stream is cut in the middle",
  plan: `Two links that reconnect, one with a session and one without. Client and server send the numbers 1 to ${TOTAL} to each other, every ${INTERVAL} ms. The network is cut ${CUTS.length} times by a reset.`,

  async run(stage) {
    const { good, suspicious } = stage.terminal.style;
    const counted = new CountedLink(stage, "/counted/session", true);
    const plain = new CountedLink(stage, "/counted/plain", false);
    const links = [counted, plain];
    try {
      await eventually(() => links.every((link) => link.isOpen), "both links to open");
      await stage.farEnd.order({ type: "feed", total: TOTAL, interval: INTERVAL });
      const sent = Promise.all(links.map((link) => link.sendNumbers()));
      for (const number of CUTS) {
        await eventually(() => counted.received.length >= number, `the number ${number}`);
        await stage.farEnd.order({ type: "cut" });
        stage.tell(`Cut, after the number ${number}.`, suspicious);
        await eventually(() => links.every((link) => link.isOpen), "both links to reconnect");
      }
      await eventually(() => counted.received.length >= TOTAL, "all numbers, with the session");
      await sent;
      const [withSession, without] = await Promise.all(links.map((link) => link.tally()));
      if (withSession === undefined || without === undefined) throw new Error("There are two links"); // There are.
      stage.tell(`With a session: ${describe(withSession)}.`, good);
      stage.tell(`Without one:    ${describe(without)}.`, suspicious);
      ensure(isComplete(withSession), "The session has lost or repeated a number");
      ensure(
        without.received.missing > 0,
        "The link without a session missed nothing, so the cuts cut nothing",
      );
      const missing = without.received.missing + without.sent.missing;
      return {
        sentence: `With a session, 0 of ${2 * TOTAL} numbers are missing, 0 repeated and 0 out of order, after ${CUTS.length} cuts. Without one, ${missing} are missing.`,
        figure: `0 of ${2 * TOTAL} lost; ${missing} without`,
      };
    } finally {
      await Promise.all(links.map((link) => link.close()));
    }
  },
};

interface Count {
  readonly missing: number;
  readonly repeated: number;
  readonly isInOrder: boolean;
}

interface Tally {
  readonly received: Count;
  readonly sent: Count;
}

class CountedLink {
  readonly received: number[] = [];
  readonly #link: PersistentConnection;
  #answer: string | null = null;

  constructor(stage: Stage, path: string, session: boolean) {
    this.#link = connectPersistent(stage.farEnd.url(path), { session, ...CLIENT, ...RECONNECTING });
    void this.#link.forEach((message) => {
      if (String(message).startsWith("[")) this.#answer = String(message);
      else this.received.push(Number(message));
    });
  }

  get isOpen(): boolean {
    return this.#link.status.state === "open";
  }

  async sendNumbers(): Promise<void> {
    for (let number = 1; number <= TOTAL; number++) {
      this.#link.send(String(number)).catch(() => undefined); // The tally shows the outcome.
      await sleep(INTERVAL);
    }
  }

  /** Asks the server what it has received. */
  async tally(): Promise<Tally> {
    await eventually(() => this.isOpen, "the link");
    await this.#link.send("tally");
    await eventually(() => this.#answer !== null, "the server's tally");
    return { received: count(this.received), sent: count(JSON.parse(this.#answer ?? "[]") as number[]) };
  }

  async close(): Promise<void> {
    await this.#link.close();
  }
}

function count(numbers: readonly number[]): Count {
  const distinct = new Set(numbers);
  const isInOrder = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
  return { missing: TOTAL - distinct.size, repeated: numbers.length - distinct.size, isInOrder };
}

function isComplete({ received, sent }: Tally): boolean {
  return [received, sent].every(
    ({ missing, repeated, isInOrder }) => missing === 0 && repeated === 0 && isInOrder,
  );
}

function describe({ received, sent }: Tally): string {
  const text = ({ missing, repeated }: Count): string =>
    `${TOTAL - missing} of ${TOTAL}${repeated > 0 ? `, ${repeated} twice` : ""}`;
  return `received ${text(received)}, and the server ${text(sent)}`;
}
