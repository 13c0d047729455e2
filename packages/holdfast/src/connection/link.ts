// The works of a connection: protocol, heartbeat, inbox and outbox around one transport. `Connection` is its face.

import type { CloseFrame } from "../protocol/close-code.js";
import { closeCodeOf, closeOf, type MessageExtension, type ProtocolFailure } from "../protocol/extension.js";
import { FIN } from "../protocol/frame/opcode.js";
import { Protocol, type Role } from "../protocol/protocol.js";
import { closeInfo, type CloseCause, type CloseEvidence, type CloseInfo } from "./close-info.js";
import { Closure } from "./closure.js";
import { connectionClosed, type ConnectionClosed } from "./errors.js";
import { Inbox, type InboxEvents, type Message } from "./inbox.js";
import { Listeners } from "./listeners.js";
import type { ConnectionSettings } from "./options.js";
import { Outbox, type OutboxEvents, type SendSettings } from "./outbox.js";
import type { Transport, TransportHandler } from "./ports.js";
import type { PieceSink } from "../protocol/message/piece-decoder.js";
import type { StreamableConnection } from "./message-stream.js";
import { Pulse, type PulseHost } from "./pulse.js";
import type { Runtime } from "./runtime.js";
import { Alarm, type AlarmHandler, type TimerQueue } from "./timer-queue.js";
import { Traffic } from "./traffic.js";

export type ConnectionState = "connecting" | "open" | "closing" | "closed";

export interface LinkOptions {
  readonly runtime: Runtime;
  readonly transport: Transport;
  readonly role: Role;
  readonly settings: ConnectionSettings;
  readonly extension: MessageExtension | null;
}

/** Names the method of `LinkObserver`, which is none of the application's business. */
export const ended = Symbol("ended");

/** Who is told of the end: the connection's face. */
export interface LinkObserver {
  [ended](info: CloseInfo, error: ConnectionClosed): void;
}

export class Link
  implements TransportHandler, OutboxEvents, PulseHost, InboxEvents, StreamableConnection, AlarmHandler
{
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly pulse: Pulse;
  readonly transport: Transport;
  readonly settings: ConnectionSettings;
  readonly runtime: Runtime;
  readonly #protocol: Protocol;
  readonly #observer: LinkObserver;
  readonly #traffic: Traffic;
  #closure = Closure.none;
  readonly #openedAt: number;
  #state: ConnectionState = "open";
  #listeners: Listeners | null = null;
  #pausedAt: number | null = null;
  #closeAlarm: Alarm | null = null;
  #wasPaused = false;
  #isClosedLate = false;
  #isStreamFull = false;
  #isGivenUp = false;
  #error: ConnectionClosed | null = null;

  constructor(options: LinkOptions, observer: LinkObserver) {
    const { runtime, settings } = options;
    this.runtime = runtime;
    this.#observer = observer;
    this.settings = settings;
    this.transport = options.transport;
    this.#openedAt = runtime.clock.now();
    this.#traffic = new Traffic(this.#openedAt);
    this.inbox = new Inbox(this, settings);
    this.#protocol = new Protocol(this, {
      encoder: options.role === "client" ? runtime.clientEncoder : runtime.serverEncoder,
      maxMessageSize: settings.maxMessageSize,
      extension: options.extension,
    });
    this.outbox = new Outbox(runtime, options.transport, this.#protocol, this, settings.writeLimit);
    this.pulse = new Pulse(runtime, this, settings);
  }

  /**
   * Begins: the first ping goes out, and what came glued to the handshake is read.
   * @param preface goes out first: a server's answer to the upgrade
   */
  start(rest: Uint8Array, preface: Uint8Array | null): void {
    this.transport.start(this);
    if (preface !== null) this.outbox.preface(preface);
    this.pulse.open();
    this.outbox.flush(); // Now: what the application does first may block the loop, and the ping's time is running.
    if (rest.length > 0) this.onChunk(rest);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get listeners(): Listeners {
    return (this.#listeners ??= new Listeners(this.runtime.clock));
  }

  get timers(): TimerQueue {
    return this.runtime.timers;
  }

  get lastReceivedAt(): number {
    return this.#traffic.lastReceivedAt;
  }

  now(): number {
    return this.runtime.clock.now();
  }

  closedError(): ConnectionClosed {
    return (this.#error ??= connectionClosed(this.#describeEnd()));
  }

  sendText(text: string, settings: SendSettings): Promise<void> {
    this.#traffic.messagesSent++;
    return this.outbox.sendText(text, settings);
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    this.#traffic.messagesSent++;
    return this.outbox.sendBinary(payload, settings);
  }

  /** Sends a frame of a message that is sent piece by piece. */
  sendFrame(firstByte: number, payload: Uint8Array): Promise<void> {
    if ((firstByte & FIN) !== 0) this.#traffic.messagesSent++;
    return this.outbox.sendFrame(firstByte, payload, null);
  }

  streamTo(sink: PieceSink | null): void {
    this.#protocol.streamTo(sink);
  }

  onStreamedMessage(): void {
    this.#traffic.messagesReceived++;
  }

  onStreamFull(): void {
    if (this.#state !== "open") return;
    this.#isStreamFull = true;
    this.transport.pause();
    this.pulse.pauseReading();
  }

  onStreamRoomy(): void {
    this.#isStreamFull = false;
    if (this.#state !== "closed") this.#readOn();
  }

  /** Begins the closing handshake: our Close goes out behind what was sent before (RFC 6455 section 7.1.2). */
  close(close: CloseFrame, cause: CloseCause, error: Error | null): void {
    if (this.#state !== "open") return;
    this.#closure = this.#closure.note(cause, error, false);
    this.outbox.queueClose(close, false);
    this.#beginClosing();
  }

  /** Ends the connection now, without a Close. */
  terminate(cause: CloseCause, error: Error | null): void {
    if (this.#state === "closed") return;
    this.#closure = this.#closure.note(cause, error, this.#isComplete());
    this.#destroy();
  }

  // What the transport tells.

  onChunk(chunk: Uint8Array): void {
    const traffic = this.#traffic;
    traffic.bytesReceived += chunk.length;
    traffic.lastReceivedAt = this.runtime.clock.now();
    this.outbox.cork();
    this.#protocol.receive(chunk);
    this.outbox.uncork();
  }

  onEof(): void {
    if (this.#isComplete() || this.#closure.hasFailed) {
      this.outbox.end();
      return;
    }
    this.#closure = this.#closure.note("eof", null, false);
    this.#end();
  }

  onError(error: Error & { readonly code?: string; readonly syscall?: string }): void {
    this.#closure = this.#closure.note(causeOfError(error), error, this.#isComplete());
    this.#end();
  }

  onDrain(): void {
    this.outbox.flush();
  }

  onClosed(): void {
    if (this.#state === "closed") return;
    // What was received before the end is told before it, also while it is being decoded.
    this.#isClosedLate = this.#protocol.isHeld && !this.#isGivenUp;
    if (this.#isClosedLate) return;
    const error = this.closedError();
    this.#state = "closed";
    if (this.#closeAlarm !== null) this.timers.cancel(this.#closeAlarm);
    this.pulse.end(error);
    this.outbox.fail(error);
    this.inbox.end();
    this.#observer[ended](error.info, error);
  }

  // What the peer sent.

  onText(text: string): void {
    this.#deliver(text);
  }

  onBinary(bytes: Uint8Array): void {
    this.#deliver(bytes);
  }

  onPing(payload: Uint8Array): void {
    if (this.settings.autoPong && this.#protocol.closeSent === null) this.outbox.queuePong(payload);
    if (this.#listeners?.has("ping") !== true) return;
    this.outbox.flush(); // Before the event, so that no listener delays the answer (RFC 6455 section 5.5.2).
    this.#listeners.emit("ping", { payload });
  }

  onPong(payload: Uint8Array): void {
    const roundTrip = this.pulse.onPong(payload, this.#traffic.lastReceivedAt);
    if (this.#listeners?.has("pong") === true) this.#listeners.emit("pong", { payload, roundTrip });
  }

  onClose(close: CloseFrame): void {
    this.#closure = this.#closure.note("peer-close", null, false);
    // Section 5.5.1: the answer echoes the code.
    if (this.#protocol.closeSent === null) this.outbox.queueClose(close, true);
    this.#beginClosing();
    // Section 7.1.1: the server closes the TCP connection first, so that the client is not left in TIME_WAIT.
    if (this.#protocol.role === "server") this.outbox.end();
  }

  onFailure(failure: ProtocolFailure): void {
    this.#closure = this.#closure.note(causeOfFailure(failure), failure, false);
    if (this.#protocol.closeSent === null) this.outbox.queueClose(closeOf(failure), true);
    this.#beginClosing();
    if (this.#protocol.role === "server") this.outbox.end();
  }

  /** A large message is being decoded in a thread; what comes behind it waits in the kernel. */
  onHeld(): void {
    this.transport.pause();
    this.pulse.pauseReading();
  }

  onReleased(): void {
    if (this.#state === "closed") return;
    this.outbox.cork();
    this.#protocol.resume();
    this.outbox.uncork();
    if (this.#protocol.isHeld) return;
    if (this.#isClosedLate) this.onClosed();
    else this.#readOn();
  }

  // What the inbox, the outbox and the heartbeat tell.

  onInboxFull(): void {
    this.#pausedAt = this.now();
    this.transport.pause();
    this.pulse.pauseReading();
    if (this.#listeners?.has("paused") === true) {
      this.#listeners.emit("paused", { messages: this.inbox.length, bytes: this.inbox.bytes });
    }
  }

  onInboxRoomy(): void {
    if (this.#pausedAt === null || this.#state === "closed") return;
    const duration = this.now() - this.#pausedAt;
    this.#pausedAt = null;
    this.#readOn();
    if (this.#listeners?.has("resumed") === true) this.#listeners.emit("resumed", { duration });
  }

  onBytesSent(count: number): void {
    this.#traffic.bytesSent += count;
    this.#traffic.lastSentAt = this.now();
  }

  onPingSent(key: string): void {
    this.pulse.onPingSent(key);
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.outbox.queuePing(key, payload);
  }

  abandonPing(key: string): void {
    this.outbox.abandonPing(key);
  }

  onOverdue(elapsed: number, expected: number): void {
    if (this.#listeners?.has("overdue") === true) this.#listeners.emit("overdue", { elapsed, expected });
  }

  onSuspended(gap: number): void {
    if (this.#listeners?.has("suspended") === true) this.#listeners.emit("suspended", { gap });
  }

  /** The verdict: the peer is told why, in case it still listens, and not waited for. */
  onDead(): void {
    this.#closure = this.#closure.note("heartbeat-timeout", null, false);
    this.outbox.queueClose({ code: 1011, reason: "keepalive ping timeout" }, true);
    this.outbox.flush();
    this.#destroy();
  }

  /** The closing did not come to its end in time; what the kernel holds by now still counts. */
  onAlarm(): void {
    this.runtime.clock.afterPoll(() => {
      if (this.#state === "closed") return;
      this.#closure = this.#closure.note("close-timeout", null, this.#isComplete());
      this.#destroy();
    });
  }

  #deliver(message: Message): void {
    if (this.#isGivenUp) return; // Ended by a callback, while its chunk was being parsed.
    this.#traffic.messagesReceived++;
    this.inbox.push(message);
  }

  #isComplete(): boolean {
    return this.#protocol.closeSent !== null && this.#protocol.closeReceived !== null;
  }

  /** One deadline bounds all of the closing, whatever the buffers hold and whatever the peer does. */
  #beginClosing(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.pulse.beginClosing();
    this.#wasPaused = this.#pausedAt !== null;
    this.inbox.drain();
    if (this.#isStreamFull) this.onStreamRoomy();
    if (this.settings.closeTimeout === null) return;
    this.#closeAlarm = new Alarm(this);
    this.timers.set(this.#closeAlarm, this.now() + this.settings.closeTimeout);
  }

  /** We give the connection up: nothing more is told of what was received. */
  #destroy(): void {
    this.#isGivenUp = true;
    this.#end();
  }

  #readOn(): void {
    if (this.#pausedAt !== null || this.#isStreamFull || this.#protocol.isHeld) return;
    this.transport.resume();
    this.pulse.resumeReading();
  }

  #end(): void {
    if (this.#error !== null) return;
    this.#error = connectionClosed(this.#describeEnd());
    this.#state = "closing";
    this.pulse.beginClosing();
    this.outbox.stop();
    this.transport.destroy();
  }

  #describeEnd(): CloseInfo {
    return closeInfo({
      cause: this.#closure.cause,
      error: this.#closure.error,
      received: this.#protocol.closeReceived,
      sent: this.#protocol.closeSent,
      receivedFirst: this.#protocol.receivedFirst,
      evidence: this.#evidence(),
    });
  }

  #evidence(): CloseEvidence {
    const now = this.now();
    const wallNow = this.runtime.clock.wallNow();
    const epoch = (at: number | null): number | null => (at === null ? null : wallNow - (now - at));
    const { heartbeat } = this.pulse;
    const traffic = this.#traffic;
    const oldest = heartbeat.pings.oldest();
    return {
      openedAt: epoch(this.#openedAt),
      endedAt: wallNow,
      lastReceivedAt: traffic.bytesReceived === 0 ? null : epoch(traffic.lastReceivedAt),
      lastSentAt: epoch(traffic.lastSentAt),
      lastPingAt: epoch(this.pulse.lastPingAt),
      lastPongAt: epoch(this.pulse.lastPongAt),
      latency: heartbeat.statistics.snapshot(),
      pingsInFlight: heartbeat.pings.size,
      oldestPingAge: oldest === null ? null : now - oldest.queuedAt,
      bytesReceived: traffic.bytesReceived,
      bytesSent: traffic.bytesSent,
      messagesReceived: traffic.messagesReceived,
      messagesSent: traffic.messagesSent,
      bytesBuffered: this.outbox.unsentBytes,
      messagesUnread: this.inbox.length,
      bytesUnread: this.inbox.bytes,
      isReadingPaused: this.#wasPaused || this.#pausedAt !== null,
      longestStall: heartbeat.longestGap,
      pingInterval: this.settings.pingInterval,
      pingTimeout: this.settings.pingTimeout,
    };
  }
}

function causeOfFailure(failure: ProtocolFailure): CloseCause {
  switch (closeCodeOf(failure)) {
    case 1007:
      return "invalid-data";
    case 1009:
      return "message-too-big";
    default:
      return "protocol-error";
  }
}

function causeOfError(error: { readonly code?: string; readonly syscall?: string }): CloseCause {
  switch (error.code) {
    case "ECONNRESET":
      return "reset";
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ENETDOWN":
      return "unreachable";
    case "EPIPE":
      return "write-failed";
    default:
      return error.syscall === "write" ? "write-failed" : "reset";
  }
}
