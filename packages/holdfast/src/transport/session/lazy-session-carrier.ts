// Loads the code of sessions when the first connection with a session opens: programs without sessions never load it.

import type { CloseInfo } from "../../connection/close-info.js";
import type { MessageTransportFactory, TransportSession } from "../../connection/message-transport.js";
import type { ConnectionSession } from "../../connection/session-state.js";
import type { Runtime } from "../../connection/runtime.js";
import type {
  SessionCarrier,
  SessionCarrierHandler,
  SessionCarrierSettings,
} from "../../connection/session-carrier.js";
import type { SavedClientSession } from "../../session/client-session.js";
import { loadCode } from "../../shared/load-code.js";
import type { SessionLoss } from "../../shared/session-errors.js";

export class LazySessionCarrier implements SessionCarrier {
  readonly #runtime: Runtime;
  readonly #settings: SessionCarrierSettings;
  readonly #handler: SessionCarrierHandler;
  #carrier: SessionCarrier | null = null;

  constructor(runtime: Runtime, settings: SessionCarrierSettings, handler: SessionCarrierHandler) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#handler = handler;
  }

  /** @throws HandshakeError if the code cannot be loaded; the next attempt tries again */
  async load(): Promise<void> {
    if (this.#carrier !== null) return;
    const { ClientSessionCarrier } = await loadCode("sessions", () => import("./client-session-carrier.js"));
    this.#carrier ??= new ClientSessionCarrier(this.#runtime, this.#settings, this.#handler);
  }

  get state(): TransportSession | null {
    return this.#carrier?.state ?? null;
  }

  shownTo(isHandling: boolean): ConnectionSession | null {
    if (this.#carrier !== null) return this.#carrier.shownTo(isHandling);
    const { saved } = this.#settings;
    if (saved === null) return null;
    const position = saved.incoming.received - this.#handler.unread;
    return { id: saved.ticket.id, isAttached: false, position };
  }

  get isAttached(): boolean {
    return this.#carrier?.isAttached ?? false;
  }

  get canResume(): boolean {
    return this.#carrier?.canResume ?? false;
  }

  get hasSocket(): boolean {
    return this.#carrier?.hasSocket ?? false;
  }

  over(
    below: MessageTransportFactory,
    pingsAs: "frames" | "messages",
    onWidth: (width: number) => void,
  ): MessageTransportFactory {
    return this.#carrier?.over(below, pingsAs, onWidth) ?? below; // `load()` precedes each connection.
  }

  onSocketEnded(info: CloseInfo, isLast?: boolean): boolean {
    return this.#carrier?.onSocketEnded(info, isLast) ?? false;
  }

  save(): SavedClientSession | null {
    return this.#carrier === null ? this.#settings.saved : this.#carrier.save();
  }

  willEnd(): void {
    this.#carrier?.willEnd();
  }

  abandon(reason: SessionLoss, unsent?: number): void {
    this.#carrier?.abandon(reason, unsent);
  }

  end(isSaved?: boolean): void {
    this.#carrier?.end(isSaved);
  }
}
