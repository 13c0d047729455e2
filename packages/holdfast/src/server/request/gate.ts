// Decides what becomes of a request: an upgrade, an answer of `onRequest`, or a refusal (RFC 6455 section 4.2.2).

import { isThenable } from "../../connection/arguments.js";
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
import { quoteAll } from "../../protocol/handshake/quote.js";
import type { RequestAnswer, ServerSettings } from "../options.js";
import { OriginWarnings } from "./origin-warnings.js";
import { ServerRequest, type RequestOrigin } from "./server-request.js";

/** An upgrade that is granted. */
export interface Upgrade {
  readonly outcome: "upgrade";
  readonly key: string;
  readonly request: ServerRequest;
  readonly choice: SubprotocolChoice;
  /** The compression that was agreed on; null for none. */
  readonly deflate: NegotiatedDeflate | null;
}

export type Decision =
  | Refusal
  | Upgrade
  /** What `onRequest` returned: not looked at yet. */
  | { readonly outcome: "answer"; readonly response: Response };

export class Gate {
  readonly #settings: ServerSettings;
  readonly #logger: FaultLogger | null;
  readonly #originWarnings: OriginWarnings;
  readonly #connections: { readonly size: number };
  #isDraining = false;

  constructor(settings: ServerSettings, connections: { readonly size: number }) {
    this.#settings = settings;
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
   * @param onAsked is given the request that `onRequest` is asked about, before it is
   */
  decide(
    head: RequestHead,
    origin: RequestOrigin,
    onAsked: (request: ServerRequest) => void,
  ): Decision | Promise<Decision> {
    if (this.#isDraining) return SHUTTING_DOWN;
    const { isSecure } = origin;
    const judgement = judgeRequest(head, { isSecure, origins: this.#settings.origins });
    if (judgement.outcome === "refuse") {
      // Of what the head alone decides, an origin is the only reason for 403.
      if (judgement.status === 403)
        this.#originWarnings.onRefused(head.headers.get("Origin"), judgement.body);
      return judgement;
    }
    if (judgement.outcome === "upgrade") {
      if (this.#isFull()) return FULL;
      const request = new ServerRequest(head, origin, { target: judgement.target, isUpgrade: true });
      return this.#ask(request, () => this.#admit(judgement, request), onAsked);
    }
    const required = head.http2 === undefined ? UPGRADE_REQUIRED : EXTENDED_CONNECT_REQUIRED;
    if (this.#settings.onRequest === undefined) return required;
    const host = head.headers.get("Host") ?? "";
    const target = originForm(head.target, host);
    if (target === null) return refuseTarget(head.target, host);
    const request = new ServerRequest(head, origin, { target, isUpgrade: false });
    return this.#ask(request, () => required, onAsked);
  }

  /** What `onRequest` answers; `goOn` where it answers nothing. */
  #ask(
    request: ServerRequest,
    goOn: () => Decision,
    onAsked: (request: ServerRequest) => void,
  ): Decision | Promise<Decision> {
    const { onRequest } = this.#settings;
    if (onRequest === undefined) return goOn();
    const decide = (response: RequestAnswer): Decision =>
      response === undefined || response === null ? goOn() : { outcome: "answer", response };
    try {
      onAsked(request);
      const answer = onRequest(request);
      if (!isThenable(answer)) return decide(answer);
      return Promise.resolve(answer).then(decide, (error: unknown) => this.#fail("onRequest failed", error));
    } catch (error) {
      return this.#fail("onRequest failed", error);
    }
  }

  /** Looks again at what may have changed while `onRequest` was thinking, and settles what is spoken. */
  #admit(judgement: Extract<Judgement, { outcome: "upgrade" }>, request: ServerRequest): Decision {
    if (this.#isDraining) return SHUTTING_DOWN;
    if (this.#isFull()) return FULL;
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
    return { outcome: "upgrade", key, request, choice, deflate };
  }

  #isFull(): boolean {
    const { maxConnections } = this.#settings;
    return maxConnections !== null && this.#connections.size >= maxConnections;
  }

  #fail(what: string, error: unknown): Refusal {
    this.#logger?.error(what, { error });
    return FAILED;
  }
}

function refuseSubprotocols(spoken: readonly string[], offered: readonly string[]): Refusal {
  const expected = spoken.length === 0 ? "a subprotocol that is spoken here" : `one of ${quoteAll(spoken)}`;
  return refuse(400, `Expected Sec-WebSocket-Protocol to offer ${expected}, got ${quoteAll(offered)}.`);
}

/** Seconds after which to come again, where this server or another one will have room (RFC 9110 section 10.2.3). */
const RETRY_AFTER = { "Retry-After": "5" };

export const SHUTTING_DOWN = refuse(503, "The server is shutting down.", RETRY_AFTER);
const FULL = refuse(503, "The server has as many connections as it takes.", RETRY_AFTER);
/** The answer where the application's own code failed; the log says why. */
export const FAILED = refuse(500, "The server failed.");
