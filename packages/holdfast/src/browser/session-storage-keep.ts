// `sessionStorageKeep()`: keeps the session of a page across a reload, and while the page is in the back/forward cache.

import type { KeptClient, SessionKeep } from "../connection/session-keep.js";
import { invalidArgument } from "../shared/option-checks.js";
import { InvalidArgumentError, InvalidStateError } from "../shared/errors.js";

/**
 * Keeps a session in the `sessionStorage` of this tab, so that the page continues it after a reload, a navigation within
 * the site, or a return through the history. Another tab never gets it: two tabs are two sessions. The state is stored when
 * the page is hidden for good (`pagehide`) or frozen, and removed when a page uses it. After a crash there is none, so that
 * no old state is resumed.
 *
 * The state contains the session's secret and the messages that were not delivered. Every script of the page's origin can
 * read it. If it does not fit into the storage (some 5 MB), the session is not kept, and a warning is logged.
 *
 * @param name separates the sessions of one tab: one name for each persistent connection of a page. @default "default"
 * @throws InvalidArgumentError for anything but a string that is not empty
 * @throws InvalidStateError in a worker, which has no `sessionStorage`
 */
export function sessionStorageKeep(name = "default"): SessionKeep {
  if (typeof name !== "string" || name === "")
    throw invalidArgument("name", "a string that is not empty", name);
  if (typeof document === "undefined") throw new InvalidStateError(NO_STORAGE);
  return new SessionStorageKeep(name);
}

const NO_STORAGE =
  "Expected a page for `sessionStorageKeep()`, got a worker, which has no `sessionStorage`. Implement `SessionKeep`, or connect in the page.";

/** The names in use in this page. */
const used = new Set<string>();

class SessionStorageKeep implements SessionKeep {
  readonly #name: string;
  #hasSaved = false;

  constructor(name: string) {
    this.#name = name;
  }

  get #key(): string {
    return `holdfast.session.${this.#name}`;
  }

  load(): string | null {
    const isCopy = !this.#hasSaved && isFirstDocumentOfCopiedTab();
    return isCopy ? null : sessionStorage.getItem(this.#key);
  }

  save(state: string): void {
    this.#hasSaved = true;
    sessionStorage.setItem(this.#key, state);
  }

  clear(): void {
    sessionStorage.removeItem(this.#key);
  }

  watch(client: KeptClient): () => void {
    if (used.has(this.#name)) {
      throw new InvalidArgumentError(
        `Expected a keep that no other connection of this page uses, got two with the name "${this.#name}". Pass another name to sessionStorageKeep().`,
      );
    }
    used.add(this.#name);
    const suspend = (): void => client.suspend();
    const resume = (): void => client.resume();
    addEventListener("pagehide", suspend);
    addEventListener("pageshow", resume);
    document.addEventListener("freeze", suspend);
    document.addEventListener("resume", resume);
    return () => {
      used.delete(this.#name);
      removeEventListener("pagehide", suspend);
      removeEventListener("pageshow", resume);
      document.removeEventListener("freeze", suspend);
      document.removeEventListener("resume", resume);
    };
  }
}

/**
 * `window.open()` copies the storage of its opener. In the first document of such a tab, a stored state was not written
 * by this tab: its owner may return to it.
 */
function isFirstDocumentOfCopiedTab(): boolean {
  if (opener === null || history.length > 1) return false;
  const [navigation] = performance.getEntriesByType("navigation");
  return (navigation as PerformanceNavigationTiming | undefined)?.type === "navigate";
}
