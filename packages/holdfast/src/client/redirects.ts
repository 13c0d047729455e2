// The redirects of one attempt: where each leads, and whether it may be followed.

import { RedirectError } from "../shared/errors.js";
import { showURL } from "../shared/show-url.js";
import type { ResponseHead } from "../protocol/handshake/response-head.js";
import type { ConnectSettings } from "./options.js";
import { redirectTarget, type RequestTarget } from "./redirect.js";
import { withoutFullStop } from "../shared/full-stop.js";

export class Redirects {
  readonly #settings: ConnectSettings;
  readonly #subprotocols: readonly string[];
  /** The URLs that answered with a redirect, in order. */
  readonly #hops: string[] = [];

  constructor(settings: ConnectSettings, subprotocols: readonly string[]) {
    this.#settings = settings;
    this.#subprotocols = subprotocols;
  }

  /** The next target, or the error that explains why there is none. */
  follow(from: RequestTarget, head: ResponseHead): RedirectError | RequestTarget {
    this.#hops.push(from.url.href);
    const { maxRedirects, redirectHeaders } = this.#settings;
    if (this.#hops.length > maxRedirects)
      return this.#error(`Expected at most ${maxRedirects} redirects, got one more`);
    const next = redirectTarget(from, head, { subprotocols: this.#subprotocols, redirectHeaders });
    const problem = typeof next === "string" ? next : this.#problemOf(from, next);
    if (typeof next !== "string" && problem === null) return next;
    return this.#error(`Expected the redirect ${head.status} of ${showURL(from.url.href)} ${problem ?? ""}`);
  }

  /** A target as messages show it, with the URL that the application gave. */
  describe({ url }: RequestTarget): string {
    return `${showURL(url.href)} (where ${showURL(this.#hops[0] ?? "")} redirects to)`;
  }

  /** Why the options for the first server do not apply to the next; null if they do. */
  #problemOf({ url: from }: RequestTarget, { url }: RequestTarget): string | null {
    const { dialChoice } = this.#settings;
    if (dialChoice.kind === "stream") return "to be an answer, as the given stream carries no second request";
    const isUnix = from.socketPath !== null || (dialChoice.kind === "socket" && dialChoice.path !== null);
    return isUnix && url.origin !== from.origin
      ? `to stay on the Unix socket, got ${showURL(url.href)}`
      : null;
  }

  #error(message: string): RedirectError {
    const hops = [...this.#hops];
    const via = hops.length > 1 ? ` (by way of ${shorten(hops).map(showURL).join(", ")})` : "";
    return new RedirectError(`${withoutFullStop(message)}${via}.`, hops);
  }
}

/** Shortens a list for a message to its first and last URLs. */
function shorten(hops: readonly string[]): readonly string[] {
  return hops.length <= 6 ? hops : [...hops.slice(0, 3), "…", ...hops.slice(-3)];
}
