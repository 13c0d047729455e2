// A client and a server with sessions, joined by simulated links: first in, first out, cut anywhere. The simulation does
// what the transports do, with no socket and no timer, and checks each promise as it goes.

import assert from "node:assert/strict";
import { ClientSession } from "../../build/session/client-session.js";
import { judgeProof } from "../../build/session/judge-proof.js";
import {
  ServerSession,
  writeLost,
  writeOpened,
  type ServerSessionSettings,
} from "../../build/session/server-session.js";
import type { Acknowledge, AckNeed } from "../../build/session/receive-ledger.js";
import type { LossReport } from "../../build/session/send-ledger.js";
import type { SessionLedger } from "../../build/session/session-ledger.js";
import type { SessionLoss } from "../../build/shared/session-errors.js";
import { formatSessionId, formatSessionSecret } from "../../build/session/session-id.js";
import { decodeRecord, encodeRecord } from "../../build/session/store/record-codec.js";
import { readSessionMessage, writeSessionMessage, type SessionMessage } from "../../build/session/wire.js";

const SYN = "\u0016";

/** A message of the application, as its sender sees it. */
interface Sent {
  readonly flow: Flow;
  readonly text: string;
  hasToken: boolean;
  readonly isStreamed: boolean;
  isDelivered: boolean;
  isLostStream: boolean;
  /** The results that its sender received. */
  outcome: "confirmed" | "unknown" | "unsent" | null;
}

/** One direction of one session: what was sent, and how much of it has been delivered. */
class Flow {
  readonly sent: Sent[] = [];
  #next = 0;
  #session: string | null = null;

  deliver(message: Sent, session: string | null): void {
    this.#session ??= session;
    assert.equal(session, this.#session, "a message arrives in its own session");
    while (this.#next < this.sent.length && isGone(this.sent[this.#next])) this.#next++;
    assert.equal(this.sent[this.#next]?.text, message.text, "the next message is the oldest undelivered one");
    assert.ok(!message.isDelivered && !isGone(message));
    message.isDelivered = true;
    this.#next++;
  }
}

/** Never to be delivered. */
function isGone(message: Sent): boolean {
  return message.isLostStream || message.outcome === "unsent";
}

/** Either end of a session: what the application and the transport hold. */
class End {
  readonly name: string;
  outgoing = new Flow();
  isAckDue = false;
  isTimerRunning = false;
  reports = 0;

  constructor(name: string) {
    this.name = name;
  }

  need(need: AckNeed): void {
    if (need === "now") this.isAckDue = true;
    if (need === "soon") this.isTimerRunning = true;
  }

  confirm(tokens: readonly unknown[]): void {
    for (const token of tokens as readonly Sent[]) {
      assert.equal(token.outcome, null, "each token is reported once");
      assert.ok(token.isDelivered, "what is confirmed was delivered");
      token.outcome = "confirmed";
    }
  }

  fail(tokens: readonly unknown[]): void {
    for (const token of tokens as readonly Sent[]) this.#lose(token, "unsent");
  }

  /** Each message that is neither confirmed nor lost with its process is reported, in the counts and with its token. */
  lose(report: LossReport): void {
    this.reports++;
    let known = 0;
    for (const { token, outcome } of report.tokens) this.#lose(token as Sent, outcome);
    for (const message of this.outgoing.sent) {
      if (message.hasToken && !message.isLostStream) {
        assert.notEqual(message.outcome, null, "each token is reported");
        if (message.outcome === "confirmed") known++;
      } else if (!message.isDelivered && !message.isLostStream && message.outcome === null) {
        message.outcome = "unknown";
      }
    }
    const most = this.outgoing.sent.filter(({ isLostStream }) => !isLostStream).length - known;
    assert.ok(report.unsent + report.unknown <= most);
    const undelivered = this.outgoing.sent.filter((m) => !m.isDelivered && !isGone(m)).length;
    assert.ok(
      report.unknown + report.unsent >= undelivered,
      "nothing undelivered is missing from the counts",
    );
    assert.ok(report.unsent <= this.outgoing.sent.filter((m) => !m.isDelivered && !m.isLostStream).length);
    this.outgoing = new Flow();
  }

  #lose(message: Sent, outcome: "unknown" | "unsent"): void {
    assert.equal(message.outcome, null, "each token is reported once");
    assert.ok(!message.isLostStream);
    if (outcome === "unsent") assert.ok(!message.isDelivered, "what is unsent was not delivered");
    message.outcome = outcome;
  }
}

type Item = Sent | string;

class Link {
  readonly toServer: Item[] = [];
  readonly toClient: Item[] = [];
  isCut = false;
  session: Served | null = null;
  attachment = 0;
  /** The server's side has read the first message. */
  isGreeted = false;
  wasMoved = false;
}

/** A session at the server, with what lies around it. */
class Served {
  readonly session: ServerSession;
  readonly end = new End("server");
  link: Link | null = null;
  handled = 0;

  constructor(session: ServerSession) {
    this.session = session;
  }
}

export interface SimulationOptions {
  readonly acknowledge: Acknowledge;
  readonly window: { readonly messages: number; readonly bytes: number };
}

export class Simulation {
  readonly client: ClientSession;
  readonly clientEnd = new End("client");
  readonly clientMeter = { used: 0 };
  readonly serverMeter = { used: 0 };
  readonly lost: string[] = [];
  readonly links: Link[] = [];
  now = 0;
  #link: Link | null = null;
  readonly #settings: ServerSessionSettings;
  readonly #served = new Map<string, Served>();
  #ids = 0;
  #texts = 0;
  #isOver = false;

  constructor({ acknowledge, window }: SimulationOptions) {
    this.client = new ClientSession({ window, meter: this.clientMeter });
    const meter = this.serverMeter;
    this.#settings = { window, acknowledge, meter, retain: 1000, maxLifetime: null };
  }

  // The client.

  connect(): void {
    if (this.#isOver) return;
    const link = new Link();
    this.links.push(link);
    if (this.links.length > 4) this.links.shift();
    this.#link = link;
    this.clientEnd.isAckDue = false;
    link.toServer.push(this.client.connect());
  }

  clientNotices(): void {
    this.#link = null;
    if (!this.#isOver) this.client.detach();
  }

  clientSends(kind: "kept" | "streamed", hasToken: boolean): void {
    if (this.#isOver) return;
    const { outgoing } = this.client.ledger;
    if (!outgoing.hasRoom) {
      if (outgoing.takeWant()) this.#link?.toServer.push(`${SYN}want`);
      return;
    }
    this.#send(this.clientEnd, this.client.ledger, this.#link?.toServer ?? null, kind, hasToken);
  }

  clientPumps(limit: number): void {
    if (this.#link !== null) this.#pump(this.client.ledger, this.#link.toServer, this.clientEnd, limit);
  }

  clientAcks(moment: "due" | "late" | "passing"): void {
    if (this.client.state !== "attached" || this.#link === null) return;
    this.#ack(this.client.ledger, this.clientEnd, this.#link.toServer, moment);
  }

  clientEnds(): void {
    if (this.#isOver) return;
    if (this.client.state === "attached") this.#link?.toServer.push(writeSessionMessage({ type: "end" }));
    this.#isOver = true;
    this.clientEnd.lose(this.client.end());
  }

  // The server.

  /** The session that the client holds, if the server still has it. */
  get served(): Served | null {
    return this.#served.get(this.client.id ?? "") ?? null;
  }

  serverSends(kind: "kept" | "streamed", hasToken: boolean): void {
    const served = this.served;
    if (served === null || served.session.state === "ended") return;
    const { session, end, link } = served;
    const { outgoing } = session.ledger;
    if (!outgoing.hasRoom) {
      if (session.state === "detached") this.#lose(served, "overflow");
      else if (outgoing.takeWant()) link?.toClient.push(`${SYN}want`);
      return;
    }
    this.#send(end, session.ledger, link?.toClient ?? null, kind, hasToken);
  }

  serverPumps(limit: number): void {
    const served = this.served;
    if (served?.link) this.#pump(served.session.ledger, served.link.toClient, served.end, limit);
  }

  serverAcks(moment: "due" | "late" | "passing"): void {
    const served = this.served;
    if (!served?.link) return;
    this.#ack(served.session.ledger, served.end, served.link.toClient, moment);
    served.session.rest();
  }

  serverHandles(count: number): void {
    const served = this.served;
    if (served === null || served.session.state === "ended") return;
    const { incoming } = served.session.ledger;
    served.handled = Math.min(incoming.received, served.handled + count);
    if (served.handled > 0) served.end.need(incoming.settle(served.handled, count * 8));
  }

  serverNotices(back: number): void {
    const link = this.links.at(-1 - (back % Math.max(1, this.links.length)));
    if (link?.session) this.#unlink(link);
  }

  /** The process ends with `durability: "shutdown"`, and another one reads the record. */
  serverRestarts(): void {
    for (const link of this.links) this.#cut(link);
    for (const [id, served] of this.#served) {
      if (served.session.state === "ended") continue;
      if (served.link !== null) this.#unlink(served.link);
      const record = decodeRecord(encodeRecord(served.session.save([])));
      served.session.end();
      const claimed = { ...record, generation: record.generation + 1 };
      const next = new Served(new ServerSession(record, this.#settings, claimed));
      next.handled = served.handled;
      next.end.outgoing = served.end.outgoing;
      for (const message of next.end.outgoing.sent) {
        message.hasToken = false; // Tokens belong to the process that ended.
        if (message.isStreamed && !message.isDelivered) message.isLostStream = true;
      }
      this.#served.set(id, next);
    }
  }

  #send(
    end: End,
    ledger: SessionLedger,
    wire: Item[] | null,
    kind: "kept" | "streamed",
    hasToken: boolean,
  ): void {
    const { outgoing } = ledger;
    const text = `${end.name} ${++this.#texts}`;
    const message: Sent = {
      flow: end.outgoing,
      text,
      hasToken: hasToken || kind === "streamed",
      isStreamed: kind === "streamed",
      isDelivered: false,
      isLostStream: false,
      outcome: null,
    };
    const token = message.hasToken ? message : null;
    if (kind === "streamed") {
      if (!outgoing.isCaughtUp) return;
      end.outgoing.sent.push(message);
      outgoing.pushStreamed(token);
      wire?.push(message);
      return;
    }
    end.outgoing.sent.push(message);
    const isNext = (token === null && outgoing.pushEasy(text)) || outgoing.push(text, token);
    if (isNext) wire?.push(message);
  }

  #pump(ledger: SessionLedger, wire: Item[], end: End, limit: number): void {
    for (let count = 0; count < limit; count++) {
      const item = ledger.outgoing.next();
      if (item === null) return;
      if (typeof item === "number") wire.push(writeSessionMessage({ type: "skip", count: item }));
      else
        wire.push(end.outgoing.sent.find(({ text }) => text === item) ?? assert.fail("an unknown message"));
    }
  }

  #ack(ledger: SessionLedger, end: End, wire: Item[], moment: "due" | "late" | "passing"): void {
    let text: string;
    if (moment === "late") {
      if (!end.isTimerRunning) return;
      end.isTimerRunning = false;
      text = ledger.takeLateAck();
    } else text = ledger.takeAck(end.isAckDue ? "due" : moment);
    end.isAckDue = false;
    if (text !== "") wire.push(text);
  }

  // The links.

  cut(back: number): void {
    const link = this.links.at(-1 - (back % Math.max(1, this.links.length)));
    if (link !== undefined) this.#cut(link);
  }

  deliverToServer(back: number, count: number): void {
    const link = this.links.at(-1 - (back % Math.max(1, this.links.length)));
    for (let n = 0; n < count && link !== undefined && !link.isCut; n++) {
      const item = link.toServer.shift();
      if (item === undefined) return;
      this.#atServer(link, item);
    }
  }

  deliverToClient(back: number, count: number): void {
    const link = this.links.at(-1 - (back % Math.max(1, this.links.length)));
    for (let n = 0; n < count && link !== undefined && !link.isCut; n++) {
      const item = link.toClient.shift();
      if (item === undefined) return;
      if (link === this.#link && !this.#isOver) this.#atClient(item);
    }
  }

  pass(time: number): void {
    this.now += time;
    for (const served of this.#served.values()) {
      if (served.session.hasExpired(this.now, this.now)) this.#lose(served, "expired");
    }
  }

  /** Without further cuts, everything arrives and is confirmed. */
  settle(): void {
    if (this.#isOver) return;
    this.clientNotices();
    this.connect();
    for (let round = 0; round < 12; round++) {
      this.clientPumps(Infinity);
      this.deliverToServer(0, Infinity);
      this.serverHandles(1e6);
      this.serverPumps(Infinity);
      this.serverAcks("due");
      this.deliverToClient(0, Infinity);
      this.clientAcks("due");
    }
    if (this.#isOver) return;
    assert.equal(this.client.state, "attached");
    const served = this.served ?? assert.fail("the server has the session");
    for (const end of [this.clientEnd, served.end]) {
      for (const message of end.outgoing.sent) {
        if (isGone(message)) continue;
        assert.ok(message.isDelivered, `${message.text} is delivered while the session lives`);
        if (message.hasToken) assert.equal(message.outcome, "confirmed");
      }
    }
    const flows = [this.client.ledger, served.session.ledger];
    assert.deepEqual(
      flows.map(({ outgoing }) => [outgoing.unconfirmed, outgoing.unconfirmedBytes]),
      [
        [0, 0],
        [0, 0],
      ],
    );
    assert.equal(this.clientMeter.used, 0);
    assert.equal(flows[0]?.outgoing.sent, flows[1]?.incoming.received);
    assert.equal(flows[1]?.outgoing.sent, flows[0]?.incoming.received);
  }

  #cut(link: Link): void {
    link.isCut = true;
    link.toServer.length = 0;
    link.toClient.length = 0;
  }

  #unlink(link: Link): void {
    const served = link.session;
    this.#cut(link);
    if (served === null) return;
    served.session.detach(link.attachment, this.now, this.now);
    if (served.link === link) served.link = null;
  }

  #lose(served: Served, reason: SessionLoss): void {
    served.end.lose(served.session.lose(reason));
    served.link = null;
  }

  #atClient(item: Item): void {
    if (typeof item !== "string") {
      assert.ok(this.client.takesMessages);
      item.flow.deliver(item, this.client.id);
      this.clientEnd.need(this.client.ledger.incoming.receive(item.text.length) ?? "none");
      return;
    }
    const action = this.client.interpret(read(item), this.now);
    switch (action.type) {
      case "opened":
        return;
      case "resumed":
        this.clientEnd.confirm(action.confirmed);
        this.clientEnd.fail(action.unsent);
        return;
      case "lost":
        this.lost.push(action.reason);
        this.clientEnd.lose(action.report);
        this.clientEnd.isTimerRunning = false;
        if (!action.isFresh) this.#isOver = true;
        return;
      case "confirmed":
        this.clientEnd.confirm(action.tokens);
        return;
      case "ack":
        this.clientEnd.need(action.need);
        return;
      case "ended":
      case "moved":
      case "violation":
        assert.fail(JSON.stringify(action));
    }
  }

  #atServer(link: Link, item: Item): void {
    const { session: served } = link;
    if (typeof item !== "string") {
      if (served?.session.isCurrent(link.attachment) !== true) return;
      item.flow.deliver(item, served.session.id);
      served.end.need(served.session.ledger.incoming.receive(item.text.length) ?? "none");
      return;
    }
    const message = read(item);
    if (!link.isGreeted) {
      link.isGreeted = true;
      this.#greet(link, message);
      return;
    }
    if (served === null) return;
    const action = served.session.interpret(message, link.attachment, this.now);
    switch (action.type) {
      case "confirmed":
        served.end.confirm(action.tokens);
        served.session.rest(); // Another ledger must not make a difference.
        return;
      case "ack":
        served.end.need(action.need);
        return;
      case "ended":
        served.end.lose(action.report);
        served.link = null;
        return;
      case "stale":
        return;
      case "violation":
        assert.fail(action.message);
    }
  }

  #greet(link: Link, message: SessionMessage): void {
    if (message.type === "open") {
      this.#open(link, null);
      return;
    }
    if (message.type !== "resume") assert.fail(`A first message ${message.type}`);
    const served = this.#served.get(message.id) ?? null;
    const proof = { secretHash: hash(message.secret), owner: null };
    const refusal = judgeProof(served?.session ?? null, proof);
    if (served === null || refusal !== null) {
      this.#open(link, refusal ?? "unknown");
      return;
    }
    const hadEnded = served.session.state === "ended";
    const answer = served.session.resume(message, this.now, this.now);
    if (answer.type === "stale") {
      link.toClient.push(`${SYN}moved`);
      return;
    }
    if (answer.fenced !== null && served.link !== null) {
      served.link.toClient.push(`${SYN}moved`);
      served.link.wasMoved = true;
    }
    if (answer.type === "lost") {
      if (!hadEnded) served.end.lose(answer.report);
      served.link = null;
      this.#open(link, answer.reason);
      return;
    }
    served.end.confirm(answer.confirmed);
    served.end.fail(answer.unsent);
    link.session = served;
    link.attachment = answer.attachment;
    link.toClient.push(answer.text);
    served.link = link;
    served.end.isAckDue = false;
  }

  #open(link: Link, loss: SessionLoss | null): void {
    const bytes = (length: number) => new Uint8Array(length).fill(++this.#ids & 0xff);
    const id = formatSessionId(bytes(9)).slice(0, 4) + String(this.#ids).padStart(8, "0");
    const secret = formatSessionSecret(bytes(16));
    const identity = { id, secretHash: hash(secret), owner: null, subprotocol: null, created: this.now };
    const session = new ServerSession(identity, this.#settings);
    const served = new Served(session);
    this.#served.set(id, served);
    const ticket = { id, secret, ttl: 1000, window: this.#settings.window };
    link.toClient.push(loss === null ? writeOpened(ticket) : writeLost(loss, ticket));
    link.attachment = session.open(this.now);
    link.session = served;
    served.link = link;
  }
}

/** Stands for SHA-256. */
function hash(secret: string): string {
  return Array.from(secret, (character) => character.charCodeAt(0).toString(16))
    .join("")
    .padEnd(64, "0")
    .slice(0, 64);
}

function read(text: string): SessionMessage {
  const message = readSessionMessage(text);
  if (message === null || message.type === "invalid") assert.fail(`An invalid message: ${text}`);
  return message;
}
