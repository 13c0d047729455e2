// Decides what becomes of a request: an upgrade, an answer of `onRequest`, or a refusal (RFC 6455 section 4.2.2).

import { isThenable, toPromise } from "../../connection/arguments.js";
import type { Address } from "../../connection/ports.js";
import type { FaultLogger } from "../../connection/platform.js";
import { acceptDeflate, type NegotiatedDeflate } from "../../protocol/deflate/negotiation.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { originForm } from "../../protocol/handshake/request-target.js";
import {
  EXTENDED_CONNECT_REQUIRED,
  judgeRequest,
  refuse,
  refuseTarget,
  UPGRADE_REQUIRED,
  type Judgement,
  type Refusal,
} from "../../protocol/handshake/server-handshake.js";
import { chooseSubprotocol, type SubprotocolChoice } from "../../protocol/handshake/subprotocol.js";
import { quoteAll } from "../../shared/quote.js";
import { errorOf } from "../../shared/thrown.js";
import { isLoopbackAddress } from "../forwarding/ip-address.js";
import { namesOtherClient } from "../forwarding/locate-client.js";
import type { AddressLimits } from "../limits/address-limits.js";
import type { ServerSettings } from "../options.js";
import { checkGrant, isResponse, type CheckedGrant, type RequestAnswer } from "./request-answer.js";
import { OriginWarnings } from "./origin-warnings.js";
import { createServerRequest, type ServerRequest, type RequestOrigin } from "./server-request.js";

/** An upgrade that is granted. */
export interface Upgrade {
  readonly outcome: "upgrade";
  readonly key: string;
  readonly request: ServerRequest;
  readonly choice: SubprotocolChoice;
  /** The compression that was agreed on; null for none. */
  readonly deflate: NegotiatedDeflate | null;
  /** What `onRequest` adds. */
  readonly grant: CheckedGrant;
}

export type Decision =
  | Refusal
  | Upgrade
  /** What `onRequest` returned: not looked at yet. */
  | { readonly outcome: "answer"; readonly response: Response };

export class AdmissionPolicy {
  readonly #settings: ServerSettings;
  readonly #logger: FaultLogger | null;
  readonly #originWarnings: OriginWarnings;
  readonly #connections: { readonly size: number };
  readonly #addressLimits: AddressLimits | null;
  #isDraining = false;

  constructor(
    settings: ServerSettings,
    connections: { readonly size: number },
    addressLimits: AddressLimits | null,
  ) {
    this.#settings = settings;
    this.#addressLimits = addressLimits;
    this.#logger = settings.connection.faultLogger;
    this.#originWarnings = new OriginWarnings(settings.connection);
    this.#connections = connections;
  }

  /** From now on every request is refused: the server is closing. */
  drain(): void {
    this.#isDraining = true;
  }

  /**
   * Decides at once, unless `onRequest` promises an answer. Never throws, and never rejects.
   *
   * @param granted what goes with the upgrade where `onRequest` adds nothing
   * @param onAsked is given the request that `onRequest` is asked about, before it is
   */
  decide(
    head: RequestHead,
    origin: RequestOrigin,
    granted: CheckedGrant,
    onAsked: (request: ServerRequest) => void,
  ): Decision | Promise<Decision> {
    if (this.#isDraining) return SHUTTING_DOWN;
    const { origins, hosts } = this.#settings;
    const judgement = judgeRequest(head, {
      origins,
      hosts,
      isSecure: origin.isSecure,
      isForwarded: origin.isForwarded ?? false,
      forwardedHost: origin.host ?? null,
      isFromLoopback: () => isFromLoopback(head, origin),
    });
    if (judgement.outcome === "refuse") {
      // Of what the head alone decides, an origin is the only reason for 403.
      if (judgement.status === 403)
        this.#originWarnings.onRefused(head.headers.get("Origin"), judgement.body);
      return judgement;
    }
    if (judgement.outcome === "upgrade") {
      const refusal = this.#checkFull() ?? this.#requestUpgrade(origin);
      if (refusal !== null) return refusal;
      const request = createServerRequest(head, origin, { target: judgement.target, isUpgrade: true });
      return this.#ask(request, (grant) => this.#admit(judgement, request, grant ?? granted), onAsked);
    }
    const required = head.http2 === undefined ? UPGRADE_REQUIRED : EXTENDED_CONNECT_REQUIRED;
    if (this.#settings.onRequest === undefined) return required;
    const host = head.headers.get("Host") ?? "";
    const target = originForm(head.target, host);
    if (target === null) return refuseTarget(head.target, host);
    const request = createServerRequest(head, origin, { target, isUpgrade: false });
    return this.#ask(request, () => required, onAsked);
  }

  /**
   * Looks again, at the moment in which a connection opens, at what may have changed since its upgrade was granted:
   * several may have been granted in one turn.
   */
  confirm({ request }: Upgrade): Refusal | null {
    if (this.#isDraining) return SHUTTING_DOWN;
    return this.#checkFull() ?? this.#addressLimits?.checkConnections(request.remoteAddress) ?? null;
  }

  /** What `onRequest` answers; `goOn` where it lets the request pass, with what it adds. */
  #ask(
    request: ServerRequest,
    goOn: (grant: CheckedGrant | null) => Decision,
    onAsked: (request: ServerRequest) => void,
  ): Decision | Promise<Decision> {
    const { onRequest } = this.#settings;
    if (onRequest === undefined) return goOn(null);
    const decide = (answer: RequestAnswer): Decision => {
      if (answer === undefined || answer === null) return goOn(null);
      return isResponse(answer) ? { outcome: "answer", response: answer } : goOn(checkGrant(answer));
    };
    const fail = (error: unknown): Refusal => this.#fail("onRequest failed", error);
    try {
      onAsked(request);
      const answer = onRequest(request);
      if (!isThenable(answer)) return decide(answer);
      return toPromise(answer).then(decide).catch(fail);
    } catch (error) {
      return fail(error);
    }
  }

  /** Looks again at what may have changed while `onRequest` was thinking, and settles what is spoken. */
  #admit(
    judgement: Extract<Judgement, { outcome: "upgrade" }>,
    request: ServerRequest,
    grant: CheckedGrant,
  ): Decision {
    if (this.#isDraining) return SHUTTING_DOWN;
    const full = this.#checkFull();
    if (full !== null) return full;
    const { connection, subprotocols, selectSubprotocol, requireSubprotocol, linkProtocol } = this.#settings;
    const { key, offeredSubprotocols, extensionOffer } = judgement;
    let choice: SubprotocolChoice;
    try {
      choice = chooseSubprotocol(offeredSubprotocols, {
        subprotocols,
        linkProtocol,
        selectSubprotocol: selectSubprotocol && ((offered) => selectSubprotocol(offered, request)),
      });
    } catch (error) {
      return this.#fail("selectSubprotocol failed", error);
    }
    if (choice.subprotocol === null && requireSubprotocol)
      return refuseSubprotocols(subprotocols, offeredSubprotocols);
    const { compression } = connection;
    const deflate = compression === null ? null : acceptDeflate(extensionOffer, compression);
    return { outcome: "upgrade", key, request, choice, deflate, grant };
  }

  #checkFull(): Refusal | null {
    const { maxConnections } = this.#settings;
    if (maxConnections === null || this.#connections.size < maxConnections) return null;
    const body = `Expected at most ${maxConnections} connections at this server, got another one. Try again later.`;
    return refuse(503, body, RETRY_AFTER);
  }

  #requestUpgrade({ transport }: RequestOrigin): Refusal | null {
    return this.#addressLimits?.requestUpgrade(transport.remoteAddress) ?? null;
  }

  #fail(what: string, error: unknown): Refusal {
    this.#logger?.error(what, { error: errorOf(error) });
    return FAILED;
  }
}

function refuseSubprotocols(spoken: readonly string[], offered: readonly string[]): Refusal {
  const expected = spoken.length === 0 ? "a subprotocol that is spoken here" : `one of ${quoteAll(spoken)}`;
  return refuse(400, `Expected Sec-WebSocket-Protocol to offer ${expected}, got ${quoteAll(offered)}.`);
}

/**
 * Whether the client is on this machine. A header that says otherwise is believed, whoever wrote it: a proxy on this
 * machine brings clients from elsewhere.
 */
function isFromLoopback({ headers }: RequestHead, { transport, isForwarded }: RequestOrigin): boolean {
  const isOwn = ({ address }: Address): boolean => isLoopbackAddress(address);
  const { remoteAddress } = transport;
  if (remoteAddress === null || !isOwn(remoteAddress)) return false;
  return isForwarded === true || !namesOtherClient(headers, isOwn);
}

/** Seconds after which to come again, where this server or another one will have room (RFC 9110 section 10.2.3). */
const RETRY_AFTER = { "Retry-After": "5" };

export const SHUTTING_DOWN = refuse(503, "The server is shutting down.", RETRY_AFTER);
/** The answer where the application's own code failed; the log says why. */
export const FAILED = refuse(500, "The server failed.");
