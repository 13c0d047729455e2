// Decides on each request: upgrade it, answer it with the response of `onRequest`, or refuse it (RFC 6455 section
// 4.2.2).

import { isThenable, toPromise } from "../../connection/arguments.js";
import type { FaultLogger } from "../../connection/platform.js";
import type { NegotiatedDeflate } from "../../protocol/deflate/negotiation.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { originForm } from "../../protocol/handshake/request-target.js";
import {
  judgeRequest,
  refuse,
  refusePlain,
  refuseTarget,
  type Judgement,
  type Refusal,
} from "../../protocol/handshake/server-handshake.js";
import { offersSession } from "../../shared/link-subprotocol.js";
import { chooseSubprotocol, type SubprotocolChoice } from "../../protocol/handshake/subprotocol.js";
import { quoteAll } from "../../shared/quote.js";
import { errorOf } from "../../shared/thrown.js";
import { isFromLoopback } from "../forwarding/locate-client.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import type { AddressLimits } from "../limits/address-limits.js";
import type { Addressed, ExcessSockets } from "../limits/excess-sockets.js";
import type { ServerSettings } from "../options.js";
import type { LoadedCode } from "../server-code.js";
import { decideOwn, ownTargetOf, type ConnectionReceiver, type OwnRequests } from "./own-requests.js";
import { checkGrant, isResponse, type CheckedGrant, type RequestAnswer } from "./request-answer.js";
import { OriginWarnings } from "./origin-warnings.js";
import { createServerRequest, type ServerRequest } from "./server-request.js";

/** A request that the server upgrades. */
export interface Upgrade {
  readonly outcome: "upgrade";
  readonly key: string;
  readonly request: ServerRequest;
  readonly choice: SubprotocolChoice;
  /** The negotiated compression; null for none. */
  readonly deflate: NegotiatedDeflate | null;
  /** The headers and data that `onRequest` returned. */
  readonly grant: CheckedGrant;
  /** Receives the connection instead of the application; null for the application. */
  readonly receiver: ConnectionReceiver | null;
}

export type Decision =
  | Refusal
  | Upgrade
  /** The response that `onRequest` returned, not validated yet. */
  | { readonly outcome: "answer"; readonly response: Response };

type UpgradeJudgement = Extract<Judgement, { outcome: "upgrade" }>;

/** A request as `decide` received it. */
interface UndecidedRequest {
  readonly head: RequestHead;
  readonly origin: RequestOrigin;
  readonly onRequestCreated: (request: ServerRequest) => void;
}

export class AdmissionPolicy {
  readonly #settings: ServerSettings;
  readonly #logger: FaultLogger | null;
  readonly #originWarnings: OriginWarnings;
  readonly #connections: { readonly size: number };
  readonly #addressLimits: AddressLimits | null;
  /** Null without an inspector. */
  #own: OwnRequests | null = null;
  readonly #excess: ExcessSockets;
  readonly #code: LoadedCode;
  #isDraining = false;

  constructor(
    settings: ServerSettings,
    connections: { readonly size: number },
    addressLimits: AddressLimits | null,
    excess: ExcessSockets,
    code: LoadedCode,
  ) {
    this.#code = code;
    this.#excess = excess;
    this.#settings = settings;
    this.#addressLimits = addressLimits;
    this.#logger = settings.connection.faultLogger;
    this.#originWarnings = new OriginWarnings(settings.connection);
    this.#connections = connections;
  }

  /** Answers some requests before the application sees them; null ends that. */
  setOwnRequests(own: OwnRequests | null): void {
    this.#own = own;
  }

  /** Refuses every further request, because the server is closing. */
  drain(): void {
    this.#isDraining = true;
  }

  /**
   * Decides synchronously, unless `onRequest` returns a promise, or code has to be loaded first. Never throws, and never
   * rejects.
   *
   * @param granted headers and data of the upgrade, unless `onRequest` returns some
   * @param onRequestCreated receives the request before `onRequest` does
   */
  decide(
    head: RequestHead,
    origin: RequestOrigin,
    granted: CheckedGrant,
    onRequestCreated: (request: ServerRequest) => void,
  ): Decision | Promise<Decision> {
    if (this.#isDraining) return SHUTTING_DOWN;
    const { loading } = this.#code;
    if (loading !== null) {
      return loading
        .then(() => this.decide(head, origin, granted, onRequestCreated))
        .catch((error: unknown) => this.#fail("loading code failed", error));
    }
    const received = { head, origin, onRequestCreated };
    const own = this.#own;
    const ownTarget = own === null ? null : ownTargetOf(own, head);
    const judgement = this.#judge(head, origin, ownTarget !== null);
    if (judgement.outcome === "refuse") return judgement;
    if (own !== null && ownTarget !== null) return this.#decideOwn(own, ownTarget, judgement, received);
    if (judgement.outcome === "upgrade") return this.#decideUpgrade(judgement, granted, received);
    return this.#decidePlain(received);
  }

  /**
   * Repeats some checks when a connection opens. Their results may have changed since the upgrade was granted,
   * because several upgrades may have been granted in one turn.
   */
  confirm({ request, receiver, choice }: Upgrade): Refusal | null {
    if (this.#isDraining) return SHUTTING_DOWN;
    if (receiver !== null) return null; // An operator may look at a server that is full.
    if (choice.link === 2 && this.#excess.hasRoom(request)) return null;
    return this.#checkFull() ?? this.#addressLimits?.checkConnections(request.remoteAddress) ?? null;
  }

  /**
   * Whether a connection of this client is within the limits.
   *
   * @param replaced a connection that ends when the other one opens; null for none
   */
  hasRoom(client: Addressed, replaced: Addressed | null): boolean {
    const { maxConnections } = this.#settings;
    const others = this.#connections.size - (replaced === null ? 0 : 1);
    if (maxConnections !== null && others >= maxConnections) return false;
    return this.#addressLimits?.isFull(client.remoteAddress, replaced?.remoteAddress) !== true;
  }

  /** Judges the request by its head alone. */
  #judge(head: RequestHead, origin: RequestOrigin, isOwn: boolean): Judgement {
    const { origins, hosts } = this.#settings;
    const judgement = judgeRequest(head, {
      // Pages of other origins must never reach the inspector, wherever else they may connect. On loopback, another port
      // shares the cookies of the operator.
      origins: isOwn ? "own-page" : origins,
      hosts,
      isSecure: origin.isSecure,
      isForwarded: origin.isForwarded ?? false,
      forwardedHost: origin.host ?? null,
      isFromLoopback: () => isFromLoopback(head, origin),
    });
    // Only the Origin causes a 403 here.
    if (judgement.outcome === "refuse" && judgement.status === 403)
      this.#originWarnings.onRefused(head.headers.get("Origin"), judgement.body);
    return judgement;
  }

  // Both read the address only where a limit needs it: Node keeps both addresses of a socket once one was read.

  #decideOwn(
    own: OwnRequests,
    target: string,
    judgement: Judgement,
    { head, origin, onRequestCreated }: UndecidedRequest,
  ): Promise<Decision> | Refusal {
    const key = judgement.outcome === "upgrade" ? judgement.key : null;
    const isUpgrade = key !== null;
    const limits = isUpgrade ? this.#addressLimits : null;
    const refusal = limits?.requestUpgrade(origin.transport.remoteAddress, false) ?? null;
    if (refusal !== null) return refusal;
    const request = createServerRequest(head, origin, { target, isUpgrade });
    onRequestCreated(request);
    return decideOwn(own, request, key).catch((error: unknown) => this.#fail("the inspector failed", error));
  }

  #decideUpgrade(
    judgement: UpgradeJudgement,
    granted: CheckedGrant,
    { head, origin, onRequestCreated }: UndecidedRequest,
  ): Decision | Promise<Decision> {
    const { transport } = origin;
    const mayExceed =
      this.#settings.link === 2 &&
      offersSession(judgement.offeredSubprotocols) &&
      this.#excess.hasRoom(transport);
    const refusal =
      (mayExceed ? null : this.#checkFull()) ??
      this.#addressLimits?.requestUpgrade(transport.remoteAddress, mayExceed) ??
      null;
    if (refusal !== null) return refusal;
    const request = createServerRequest(head, origin, { target: judgement.target, isUpgrade: true });
    const admit = (grant: CheckedGrant | null): Decision => this.#admit(judgement, request, grant ?? granted);
    return this.#callOnRequest(request, admit, onRequestCreated);
  }

  #decidePlain({ head, origin, onRequestCreated }: UndecidedRequest): Decision | Promise<Decision> {
    const required = refusePlain(head);
    if (this.#settings.onRequest === undefined) return required;
    const host = head.headers.get("Host") ?? "";
    const target = originForm(head.target, host);
    if (target === null) return refuseTarget(head.target, host);
    const request = createServerRequest(head, origin, { target, isUpgrade: false });
    return this.#callOnRequest(request, () => required, onRequestCreated);
  }

  /** Calls `onRequest`. If it accepts the request, `proceed` decides, with the grant that `onRequest` returned. */
  #callOnRequest(
    request: ServerRequest,
    proceed: (grant: CheckedGrant | null) => Decision,
    onRequestCreated: (request: ServerRequest) => void,
  ): Decision | Promise<Decision> {
    const { onRequest } = this.#settings;
    if (onRequest === undefined) return proceed(null);
    const decide = (answer: RequestAnswer): Decision => {
      if (answer === undefined || answer === null) return proceed(null);
      return isResponse(answer) ? { outcome: "answer", response: answer } : proceed(checkGrant(answer));
    };
    const fail = (error: unknown): Refusal => this.#fail("onRequest failed", error);
    try {
      onRequestCreated(request);
      const answer = onRequest(request);
      if (!isThenable(answer)) return decide(answer);
      return toPromise(answer).then(decide).catch(fail);
    } catch (error) {
      return fail(error);
    }
  }

  /**
   * Repeats the checks whose result may have changed during `onRequest`, and negotiates subprotocol and compression.
   */
  #admit(judgement: UpgradeJudgement, request: ServerRequest, grant: CheckedGrant): Decision {
    if (this.#isDraining) return SHUTTING_DOWN;
    const { connection, subprotocols, selectSubprotocol, requireSubprotocol, link } = this.#settings;
    const { key, offeredSubprotocols, extensionOffer } = judgement;
    let choice: SubprotocolChoice;
    try {
      choice = chooseSubprotocol(offeredSubprotocols, {
        subprotocols,
        link,
        selectSubprotocol: selectSubprotocol && ((offered) => selectSubprotocol(offered, request)),
      });
    } catch (error) {
      return this.#fail("selectSubprotocol failed", error);
    }
    if (choice.subprotocol === null && requireSubprotocol)
      return refuseSubprotocols(subprotocols, offeredSubprotocols);
    const full = choice.link === 2 ? null : this.#checkFull(); // `confirm` follows.
    if (full !== null) return full;
    const { compression } = connection;
    const deflate =
      compression === null ? null : (this.#code.acceptDeflate?.(extensionOffer, compression) ?? null);
    return { outcome: "upgrade", key, request, choice, deflate, grant, receiver: null };
  }

  #checkFull(): Refusal | null {
    const { maxConnections } = this.#settings;
    if (maxConnections === null || this.#connections.size < maxConnections) return null;
    const body = `Expected at most ${maxConnections} connections at this server, got another one. Try again later.`;
    return refuse(503, body, RETRY_AFTER);
  }

  #fail(what: string, error: unknown): Refusal {
    this.#logger?.error(what, { error: errorOf(error) });
    return FAILED;
  }
}

function refuseSubprotocols(supported: readonly string[], offered: readonly string[]): Refusal {
  const expected = supported.length === 0 ? "a supported subprotocol" : `one of ${quoteAll(supported)}`;
  return refuse(400, `Expected Sec-WebSocket-Protocol to offer ${expected}, got ${quoteAll(offered)}.`);
}

/** Retry-After, in seconds: by then this server or another one will have room (RFC 9110 section 10.2.3). */
const RETRY_AFTER = { "Retry-After": "5" };

export const SHUTTING_DOWN = refuse(503, "The server is shutting down.", RETRY_AFTER);
/** The response if the application's code failed; the log has the reason. */
export const FAILED = refuse(500, "The server failed.");
