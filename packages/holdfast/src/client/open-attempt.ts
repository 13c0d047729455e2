// One attempt to open a connection: makes its way to the server, asks for the upgrade, follows redirects; all of it
// under one timeout.

import { env } from "node:process";
import type { Duplex } from "node:stream";
import type { ByteStream } from "../connection/ports.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm, type AlarmHandler } from "../connection/timer-queue.js";
import { SocketByteStream } from "../transport/node/socket-byte-stream.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { escapeControls } from "../shared/control-characters.js";
import type { NegotiatedDeflate } from "../protocol/deflate/negotiation.js";
import { InvalidStatusError, RedirectError } from "../shared/errors.js";
import type { HandshakeHead } from "../protocol/handshake/client-handshake.js";
import type { ResponseHead } from "../protocol/handshake/response-head.js";
import { parseRetryAfter } from "../protocol/handshake/retry-after.js";
import { showURL } from "../shared/show-url.js";
import { Exchange } from "./exchange.js";
import type { ConnectSettings } from "./options.js";
import { Http2Opening } from "./http2/http2-opening.js";
import { sessionKey } from "./http2/session-key.js";
import { SharedSession } from "./http2/shared-session.js";
import { follow, type RedirectTarget } from "./redirect.js";
import { dial } from "./dial/dial.js";
import { DialContext } from "./dial/dial-context.js";
import { chooseDialTarget, type DialTarget, type DialOptions } from "./dial/dial-target.js";
import { UpgradeAnswer, upgradeRequest, type Offer, type OpeningRequest } from "./upgrade.js";

/** An upgraded stream. `rest` came behind the answer: the first bytes of the first frames. */
export interface Upgraded {
  /** Of the server that answered: behind redirects another one than was asked first. */
  readonly url: string;
  readonly transport: ByteStream;
  readonly request: HandshakeHead;
  readonly head: ResponseHead;
  /** The compression that was agreed on; null for none. */
  readonly deflate: NegotiatedDeflate | null;
  readonly rest: Uint8Array;
}

export interface AttemptOptions {
  readonly runtime: Runtime;
  readonly destination: RedirectTarget;
  readonly offer: Offer;
  readonly settings: ConnectSettings;
  /** Is told when the way to a server is open, through proxy and TLS, and before the upgrade is asked for. */
  readonly observer: OpenObserver | null;
}

/**
 * Opens a stream and upgrades it. `take` is called with it at once, before more bytes can arrive: a promise would
 * let some slip by.
 *
 * @throws HandshakeError, InvalidArgumentError, or the reason of the signal
 */
export function attemptToOpen<Taken>(
  options: AttemptOptions,
  take: (upgraded: Upgraded) => Taken,
): Promise<Taken> {
  return new Promise((resolve, reject) => {
    const { runtime, destination, offer, settings } = options;
    const first = upgradeRequest(runtime, destination, offer);
    settings.signal?.throwIfAborted();
    new OpenAttempt(options, (upgraded) => resolve(take(upgraded)), reject).begin(first);
  });
}

class OpenAttempt implements AlarmHandler {
  readonly #options: AttemptOptions;
  readonly #runtime: Runtime;
  readonly #settings: ConnectSettings;
  readonly #take: (upgraded: Upgraded) => void;
  readonly #reject: (error: unknown) => void;
  readonly #alarm = new Alarm(this);
  #destination: RedirectTarget;
  #passage: DialContext;
  /** The URLs that were asked, and answered with a redirect. */
  readonly #hops: string[] = [];
  readonly #http2: Http2Opening | null;
  #isSettled = false;

  constructor(options: AttemptOptions, take: (upgraded: Upgraded) => void, reject: (error: unknown) => void) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#settings = options.settings;
    this.#take = take;
    this.#reject = reject;
    this.#destination = options.destination;
    this.#passage = new DialContext(showURL(this.#destination.url.href));
    this.#http2 = this.#settings.http2 ? new Http2Opening(this.#runtime, this.#settings.openTimeout) : null;
  }

  begin(first: OpeningRequest): void {
    const { signal, openTimeout } = this.#settings;
    signal?.addEventListener("abort", this.#onAbort);
    if (openTimeout !== null) this.#runtime.timers.set(this.#alarm, this.#runtime.clock.now() + openTimeout);
    void this.#travel(first);
  }

  /** The answer may be in the kernel already, if it was our own process that was late. */
  onAlarm(): void {
    this.#runtime.clock.afterPoll(() => {
      if (this.#passage.exchange?.finishBody() === true) return;
      // A shared session that does not answer may have lost its peer: the next attempt makes a new one.
      this.#http2?.retireSession();
      this.#fail(this.#passage.timedOut(this.#settings.openTimeout));
    });
  }

  readonly #onAbort = (): void => this.#fail(this.#settings.signal?.reason);

  async #travel(request: OpeningRequest): Promise<void> {
    const { url, tls } = this.#destination;
    const { road: choice, tcp, headLimits, openTimeout, http2 } = this.#settings;
    const passage = this.#passage;
    try {
      const road = chooseDialTarget(choice, url, env);
      const travel: DialOptions = { runtime: this.#runtime, tcp, tls, headLimits, openTimeout, http2 };
      if (this.#http2 !== null) {
        const session = await this.#openSession(this.#http2, road, travel);
        if (!this.#isSettled) this.#extendedConnect(this.#http2, session, request);
      } else {
        const stream = await dial(road, url, travel, passage);
        if (!this.#isSettled) this.#upgrade(stream, request);
      }
    } catch (error) {
      // Also what a stream of the application throws.
      this.#fail(passage.failure(error));
    }
  }

  #openSession(http2: Http2Opening, road: DialTarget, travel: DialOptions): Promise<SharedSession> {
    const { url } = this.#destination;
    const passage = this.#passage;
    return http2.takeSession(sessionKey(road, url, travel), passage, async () => {
      const stream = await dial(road, url, travel, passage);
      const session = await SharedSession.begin(stream, url.isSecure, travel.headLimits, passage);
      passage.release(); // Others may share it: it is no longer this attempt's to destroy.
      return session;
    });
  }

  #extendedConnect(http2: Http2Opening, session: SharedSession, upgrade: OpeningRequest): void {
    const passage = this.#passage;
    passage.enter("upgrade");
    http2.request(session, {
      head: upgrade.request,
      isSecure: this.#destination.url.isSecure,
      passage,
      answerOn: (transport) => {
        this.#options.observer?.onConnected(transport);
        return this.#answerTo(upgrade, transport);
      },
      again: () => void this.#travel(upgrade),
      failed: (error) => this.#fail(error),
    });
  }

  #upgrade(stream: Duplex, upgrade: OpeningRequest): void {
    const transport = new SocketByteStream(stream);
    this.#options.observer?.onConnected(transport);
    this.#passage.enter("upgrade");
    const exchange = new Exchange(this.#settings.headLimits, this.#answerTo(upgrade, transport));
    this.#passage.exchange = exchange;
    exchange.begin(transport, upgrade.bytes);
  }

  #answerTo({ request, expected }: OpeningRequest, transport: ByteStream): UpgradeAnswer {
    const { connection, maxRedirects } = this.#settings;
    const terms = { expected, compression: connection.compression, followsRedirects: maxRedirects > 0 };
    return new UpgradeAnswer(terms, this.#passage, {
      accepted: (head, rest, deflate) => {
        const { href } = this.#destination.url;
        this.#succeed({ url: href, transport, request, head, deflate, rest });
      },
      redirected: (head) => this.#redirect(head),
      refused: (head, body) => this.#fail(this.#refusal(head, body)),
      failed: (error) => this.#fail(error),
    });
  }

  /** Goes where the redirect leads. Its body is of no interest, and is not read. */
  #redirect(head: ResponseHead): void {
    this.#passage.abandon();
    this.#hops.push(this.#destination.url.href);
    const { maxRedirects, redirectHeaders } = this.#settings;
    const { subprotocols } = this.#options.offer;
    if (this.#hops.length > maxRedirects) {
      this.#fail(this.#redirectError(`Expected at most ${maxRedirects} redirects, got one more`));
      return;
    }
    const next = follow(this.#destination, head, { subprotocols, redirectHeaders });
    const trouble = typeof next === "string" ? next : this.#obstacle(next);
    if (typeof next === "string" || trouble !== null) {
      const which = `the redirect ${head.status} of ${showURL(this.#destination.url.href)}`;
      this.#fail(this.#redirectError(`Expected ${which} ${trouble ?? ""}`));
      return;
    }
    this.#destination = next;
    this.#passage = new DialContext(
      `${showURL(next.url.href)} (where ${showURL(this.#hops[0])} redirects to)`,
    );
    void this.#travel(upgradeRequest(this.#runtime, next, this.#options.offer));
  }

  /** What was given for one server leads to no other. */
  #obstacle({ url }: RedirectTarget): string | null {
    const { road } = this.#settings;
    const from = this.#destination.url;
    if (road.kind === "stream") return "to be an answer, as the given stream carries no second request";
    const isUnix = from.socketPath !== null || (road.kind === "socket" && road.path !== null);
    return isUnix && url.origin !== from.origin
      ? `to stay on the Unix socket, got ${showURL(url.href)}`
      : null;
  }

  #redirectError(message: string): RedirectError {
    const hops = [...this.#hops];
    const route = hops.length > 1 ? ` (by way of ${shorten(hops).map(showURL).join(", ")})` : "";
    return new RedirectError(message.replace(/\.$/, "") + route, hops);
  }

  #refusal(head: ResponseHead, body: Uint8Array): InvalidStatusError {
    const { withheld } = this.#destination;
    const retryAfter = parseRetryAfter(head.headers.get("Retry-After"), this.#runtime.clock.wallNow());
    const message = `Expected ${this.#passage.where} to answer ${this.#settings.http2 ? "200 (OK)" : "101 (Switching Protocols)"}, got ${head.status} ${escapeControls(head.reason)}`;
    const hint = withheld.length === 0 ? "" : `; ${withheld.join(", ")} went to the first origin only`;
    const headers = head.headers.toHeaders();
    return new InvalidStatusError(message.trimEnd() + hint, {
      status: head.status,
      headers,
      body,
      retryAfter,
    });
  }

  #succeed(upgraded: Upgraded): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#passage.release();
    this.#take(upgraded);
  }

  #fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#passage.abandon();
    this.#reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#http2?.end();
    this.#runtime.timers.cancel(this.#alarm);
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** For a message: the first and the last ones. */
function shorten(hops: readonly string[]): readonly string[] {
  return hops.length <= 6 ? hops : [...hops.slice(0, 3), "…", ...hops.slice(-3)];
}
