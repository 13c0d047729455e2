// Opens one connection: dials, upgrades and follows redirects, within one timeout.

import type { Duplex } from "node:stream";
import type { ByteStream } from "../connection/ports.js";
import type { Runtime } from "../connection/runtime.js";
import { Deadline } from "../connection/timer-queue.js";
import { SocketByteStream } from "../transport/node/socket-byte-stream.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { escapeControls } from "../shared/control-characters.js";
import type { NegotiatedDeflate } from "../protocol/deflate/negotiation.js";
import { InvalidStatusError, RedirectError } from "../shared/errors.js";
import type { HandshakeHead } from "../protocol/handshake/client-handshake.js";
import type { ResponseHead } from "../protocol/handshake/response-head.js";
import { parseRetryAfter } from "../protocol/handshake/retry-after.js";
import { showURL } from "../shared/show-url.js";
import { Exchange } from "./exchange.js";
import type { ConnectSettings } from "./options.js";
import { ExtendedConnect } from "./http2/extended-connect.js";
import { sessionKey } from "./http2/session-key.js";
import { SharedSession } from "./http2/shared-session.js";
import type { RequestTarget } from "./redirect.js";
import { Redirects } from "./redirects.js";
import { dial } from "./dial/dial.js";
import { DialContext } from "./dial/dial-context.js";
import type { TlsSessions } from "./dial/tls-sessions.js";
import { chooseDialTarget, type DialTarget, type DialOptions } from "./dial/dial-target.js";
import { UpgradeAnswer, prepareUpgrade, type Offer, type PreparedUpgrade } from "./upgrade.js";

/** An upgraded stream. `rest` holds the bytes received after the response head: the first frames. */
export interface Upgraded {
  /** The URL of the server that accepted: after redirects, the last one. */
  readonly url: string;
  readonly transport: ByteStream;
  readonly request: HandshakeHead;
  readonly head: ResponseHead;
  /** The negotiated compression; null for none. */
  readonly deflate: NegotiatedDeflate | null;
  readonly rest: Uint8Array;
}

export interface OpenerOptions {
  readonly runtime: Runtime;
  readonly target: RequestTarget;
  readonly offer: Offer;
  readonly settings: ConnectSettings;
  /** Notified when the stream to a server is open, including proxy and TLS, before the upgrade request. */
  readonly observer: OpenObserver | null;
  /** TLS sessions to resume; null for none. */
  readonly tlsSessions: TlsSessions | null;
}

/**
 * Opens a stream and upgrades it. Calls `onUpgraded` synchronously, before more bytes can arrive: bytes that arrive
 * before a promise continues would be lost.
 *
 * @throws HandshakeError, InvalidArgumentError, or the reason of the signal
 */
export function openUpgraded<Result>(
  options: OpenerOptions,
  onUpgraded: (upgraded: Upgraded) => Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const { runtime, target, offer, settings } = options;
    const first = prepareUpgrade(runtime, target, offer);
    settings.signal?.throwIfAborted();
    new Opener(options, (upgraded) => resolve(onUpgraded(upgraded)), reject).begin(first);
  });
}

class Opener extends Deadline {
  readonly #options: OpenerOptions;
  readonly #runtime: Runtime;
  readonly #settings: ConnectSettings;
  readonly #onUpgraded: (upgraded: Upgraded) => void;
  readonly #reject: (error: unknown) => void;
  #target: RequestTarget;
  #context: DialContext;
  readonly #redirects: Redirects;
  readonly #http2: ExtendedConnect | null;
  /** When `openTimeout` expires, on the clock of the runtime. */
  #deadline = Infinity;
  #isSettled = false;

  constructor(
    options: OpenerOptions,
    onUpgraded: (upgraded: Upgraded) => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.#options = options;
    this.#runtime = options.runtime;
    this.#settings = options.settings;
    this.#onUpgraded = onUpgraded;
    this.#reject = reject;
    this.#target = options.target;
    this.#redirects = new Redirects(options.settings, options.offer.subprotocols);
    this.#context = new DialContext(showURL(this.#target.url.href));
    this.#http2 = this.#settings.http2
      ? new ExtendedConnect(this.#runtime, this.#settings.openTimeout)
      : null;
  }

  begin(first: PreparedUpgrade): void {
    const { signal, openTimeout } = this.#settings;
    watchAbort(signal, this.#onAbort);
    if (openTimeout !== null) {
      this.#deadline = this.#runtime.clock.now() + openTimeout;
      this.#runtime.timers.set(this, this.#deadline);
    }
    void this.#dialAndUpgrade(first);
  }

  /** If this process was late, the kernel may hold the response already: read before failing. */
  onAlarm(): void {
    const lateness = this.#runtime.clock.now() - this.#deadline;
    this.#runtime.clock.afterPoll(() => {
      if (this.#context.exchange?.finishBody() === true) return;
      // A shared session that does not respond may have lost its peer: the next attempt opens a new one.
      this.#http2?.retireSession();
      this.#fail(this.#context.timedOut(this.#settings.openTimeout, lateness));
    });
  }

  readonly #onAbort = (): void => this.#fail(this.#settings.signal?.reason);

  async #dialAndUpgrade(request: PreparedUpgrade): Promise<void> {
    const { url, tls } = this.#target;
    const { dialChoice, tcp, headLimits, openTimeout, http2 } = this.#settings;
    const context = this.#context;
    try {
      const dialTarget = chooseDialTarget(dialChoice, url, process.env);
      const { tlsSessions } = this.#options;
      const dialOptions: DialOptions = {
        runtime: this.#runtime,
        tcp,
        tls,
        tlsSessions,
        headLimits,
        openTimeout,
        http2,
      };
      if (this.#http2 !== null) {
        const session = await this.#openSession(this.#http2, dialTarget, dialOptions);
        if (this.#isSettled) session.release();
        else this.#extendedConnect(this.#http2, session, request);
      } else {
        const stream = await dial(dialTarget, url, dialOptions, context);
        if (!this.#isSettled) this.#upgrade(stream, request);
      }
    } catch (error) {
      // Includes errors thrown by a stream of the application.
      this.#fail(context.failure(error));
    }
  }

  #openSession(
    http2: ExtendedConnect,
    dialTarget: DialTarget,
    dialOptions: DialOptions,
  ): Promise<SharedSession> {
    const { url } = this.#target;
    const context = this.#context;
    return http2.acquireSession(sessionKey(dialTarget, url, dialOptions), context, async () => {
      const stream = await dial(dialTarget, url, dialOptions, context);
      const session = await SharedSession.open(stream, url.isSecure, dialOptions.headLimits, context);
      context.release(); // Other attempts may share the session, so this one must not destroy its stream.
      return session;
    });
  }

  #extendedConnect(http2: ExtendedConnect, session: SharedSession, upgrade: PreparedUpgrade): void {
    const context = this.#context;
    context.enter("upgrade");
    http2.request(session, {
      head: upgrade.request,
      isSecure: this.#target.url.isSecure,
      context,
      createHandler: (transport) => {
        this.#options.observer?.onConnected(transport);
        return this.#upgradeAnswer(upgrade, transport);
      },
      retry: () => void this.#dialAndUpgrade(upgrade),
      onFailed: (error) => this.#fail(error),
    });
  }

  #upgrade(stream: Duplex, upgrade: PreparedUpgrade): void {
    const transport = new SocketByteStream(stream);
    this.#options.observer?.onConnected(transport);
    this.#context.enter("upgrade");
    const exchange = new Exchange(this.#settings.headLimits, this.#upgradeAnswer(upgrade, transport));
    this.#context.exchange = exchange;
    exchange.begin(transport, upgrade.bytes);
  }

  #upgradeAnswer({ request, expected }: PreparedUpgrade, transport: ByteStream): UpgradeAnswer {
    const { connection, maxRedirects } = this.#settings;
    const expectations = {
      expected,
      compression: connection.compression,
      followsRedirects: maxRedirects > 0,
    };
    return new UpgradeAnswer(expectations, this.#context, {
      onAccepted: (head, rest, deflate) => {
        const { href } = this.#target.url;
        this.#succeed({ url: href, transport, request, head, deflate, rest });
      },
      onRedirected: (head) => this.#redirect(head),
      onRejected: (head, body) => this.#fail(this.#rejectionError(head, body)),
      onFailed: (error) => this.#fail(error),
    });
  }

  /** Follows the redirect, without reading its body. */
  #redirect(head: ResponseHead): void {
    this.#context.abort();
    const next = this.#redirects.follow(this.#target, head);
    if (next instanceof RedirectError) {
      this.#fail(next);
      return;
    }
    this.#target = next;
    this.#context = new DialContext(this.#redirects.describe(next));
    void this.#dialAndUpgrade(prepareUpgrade(this.#runtime, next, this.#options.offer));
  }

  #rejectionError(head: ResponseHead, body: Uint8Array): InvalidStatusError {
    const { withheld } = this.#target;
    const retryAfter = parseRetryAfter(head.headers.get("Retry-After"), this.#runtime.clock.wallNow());
    const message = `Expected ${this.#context.where} to answer ${this.#settings.http2 ? "200 (OK)" : "101 (Switching Protocols)"}, got ${head.status} ${escapeControls(head.reason)}`;
    const hint = withheld.length === 0 ? "." : `; ${withheld.join(", ")} went to the first origin only.`;
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
    this.#context.release();
    this.#onUpgraded(upgraded);
  }

  #fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#context.abort();
    this.#reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#http2?.end();
    this.#runtime.timers.cancel(this);
    unwatchAbort(this.#settings.signal, this.#onAbort);
  }
}
