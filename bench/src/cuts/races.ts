// Two sockets of one client resume one session at the same time. One wins, the other hears `moved`, and every message
// arrives once.

import { serve, type Connection } from "holdfast";
import { RawClient, SeededRandom } from "holdfast-testkit";

export interface RacesReport {
  readonly races: number;
  /** Races in which exactly one socket stayed attached, and the other heard `moved` and Close 1008. */
  readonly decided: number;
  /** Races in which both ends have every message once, in order. */
  readonly complete: number;
  /** How many races the socket that asked first has lost. */
  readonly overtaken: number;
  readonly failures: readonly string[];
}

/** Messages that each end sends in a race. */
const COUNT = 20;

export async function race(races: number, seed: number): Promise<RacesReport> {
  const random = new SeededRandom(seed);
  const sessions: Session[] = [];
  const server = await serve(
    async (connection) => {
      const session = new Session(connection);
      sessions.push(session);
      await connection.forEach((message) => void session.received.push(String(message)));
    },
    { host: "127.0.0.1", sessions: true, pingInterval: null },
  );
  const failures: string[] = [];
  let decided = 0;
  let complete = 0;
  let overtaken = 0;
  for (let index = 0; index < races; index++) {
    const first = await Contender.connect(server.port);
    first.say("open");
    const [, id, secret] = (await first.nextWord("session")).split(" ");
    const session = sessions.at(-1);
    if (session === undefined) throw new Error("Expected a session, got none");
    const sent = Array.from({ length: COUNT }, (_, number) => `to the client ${number}`);
    for (const text of sent.slice(0, COUNT / 2)) void session.connection.send(text);
    const pair = await Promise.all([Contender.connect(server.port), Contender.connect(server.port)]);
    if (random.number() < 0.5) first.peer.reset();
    for (const contender of pair) {
      contender.resume(id ?? "", secret ?? "");
      for (let turn = random.integer(0, 3); turn > 0; turn--) await nextTurn();
    }
    for (const text of sent.slice(COUNT / 2)) void session.connection.send(text);
    const winner = await decide(pair);
    await winner.has(COUNT);
    await session.has(COUNT);
    const loser = pair[winner === pair[0] ? 1 : 0];
    decided += Number(loser.isMoved && !winner.isMoved);
    const isComplete =
      isSame(winner.received, sent) && isSame(session.received, pair[0].toSend) && loser.isPrefixOf(sent);
    complete += Number(isComplete);
    overtaken += Number(winner === pair[1]);
    if (!isComplete) failures.push(`race ${index}: ${session.received.join()} / ${winner.received.join()}`);
    session.connection.terminate();
    for (const { peer } of [first, ...pair]) await peer.close();
  }
  await server.close();
  return { races, decided, complete, overtaken, failures };
}

/** The server's end. */
class Session {
  readonly connection: Connection;
  readonly received: string[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
  }

  async has(count: number): Promise<void> {
    await until(() => this.received.length >= count);
  }
}

/** A socket that resumes the session, and sends what the server lacks. */
class Contender {
  readonly peer: RawClient;
  readonly toSend = Array.from({ length: COUNT }, (_, number) => `to the server ${number}`);
  readonly received: string[] = [];
  isMoved = false;
  readonly #words: string[] = [];

  static async connect(port: number): Promise<Contender> {
    const peer = await RawClient.connect({ port });
    await peer.upgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } });
    return new Contender(peer);
  }

  private constructor(peer: RawClient) {
    this.peer = peer;
    void this.#read();
  }

  say(word: string): void {
    this.peer.sendText(`\u0016${word}`);
  }

  resume(id: string, secret: string): void {
    this.say(`resume ${id} ${secret} 0 1`);
    void this.nextWord("resumed").then((word) => {
      for (const text of this.toSend.slice(Number.parseInt(word.split(" ")[1] ?? "", 36)))
        this.peer.sendText(text);
    });
  }

  async nextWord(word: string): Promise<string> {
    let found: string | undefined;
    await until(
      () => (found = this.#words.find((each) => each.startsWith(`${word} `))) !== undefined || this.isMoved,
    );
    return found ?? "";
  }

  async has(count: number): Promise<void> {
    await until(() => this.received.length >= count);
  }

  isPrefixOf(sent: readonly string[]): boolean {
    return isSame(this.received, sent.slice(0, this.received.length));
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await this.peer.readFrame().catch(() => null);
      if (frame === null) return;
      const text = Buffer.from(frame.payload).toString();
      if (frame.opcode === 8)
        this.isMoved = Buffer.from(frame.payload).readUInt16BE() === 1008 && this.#words.includes("moved");
      else if (text.startsWith("\u0016")) this.#words.push(text.slice(1));
      else this.received.push(text);
    }
  }
}

/** The one that is still attached once the other has heard `moved`. */
async function decide(pair: readonly [Contender, Contender]): Promise<Contender> {
  await until(() => pair.some(({ isMoved }) => isMoved));
  return pair[0].isMoved ? pair[1] : pair[0];
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error("Waited 10 s within a race");
    await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}
