// `sessionStorageKeep()`: keeps the session of a page across a reload, and while the page is in the back/forward cache.

import type { KeptClient, SessionKeep } from "../connection/session-keep.js";
import { invalidArgument } from "../shared/option-checks.js";
import { InvalidArgumentError, InvalidStateError } from "../shared/errors.js";

/**
 * Keeps a session in the `sessionStorage` of this tab, so that the page continues it after a reload, a navigation within
 * the site, or a return through the history. Another tab never gets it (docs/sessions.md lists the exceptions): two tabs are two sessions. The state is stored when
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

/** Milliseconds for which a page that returns waits for the state of the page that was left. */
const RETURN_TIMEOUT = 1000;

/** The names in use in this page. */
const used = new Set<string>();

class SessionStorageKeep implements SessionKeep {
  readonly #name: string;
  readonly #key: string;
  /** Of the history of the tab that has stored the state. */
  readonly #historyKey: string;
  #hasSaved = false;

  constructor(name: string) {
    this.#name = name;
    this.#key = `holdfast.session.${name}`;
    this.#historyKey = `holdfast.history.${name}`;
  }

  load(): string | null {
    const isCopy = !this.#hasSaved && isCopiedTab(sessionStorage.getItem(this.#historyKey));
    return isCopy ? null : sessionStorage.getItem(this.#key);
  }

  save(state: string): void {
    sessionStorage.setItem(this.#historyKey, JSON.stringify(historyKeys()));
    sessionStorage.setItem(this.#key, state);
    this.#hasSaved = true;
  }

  clear(): void {
    sessionStorage.removeItem(this.#key);
    sessionStorage.removeItem(this.#historyKey);
  }

  watch(client: KeptClient): () => void {
    if (used.has(this.#name)) {
      throw new InvalidArgumentError(
        `Expected a keep that no other connection of this page uses, got two with the name "${this.#name}". Pass another name to sessionStorageKeep().`,
      );
    }
    used.add(this.#name);
    // Another page has taken the state. It is stored again when that page is left, maybe just after this one returned.
    const isAway = (): boolean => this.#hasSaved && sessionStorage.getItem(this.#key) === null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stopWaiting = (): void => {
      clearTimeout(timer);
      removeEventListener("storage", onStorage);
    };
    const suspend = (): void => {
      stopWaiting();
      client.suspend();
    };
    const continueNow = (): void => {
      stopWaiting();
      client.resume();
    };
    const onStorage = (): void => {
      if (!isAway()) continueNow();
    };
    const resume = (): void => {
      stopWaiting();
      addEventListener("storage", onStorage);
      timer = setTimeout(continueNow, RETURN_TIMEOUT);
      onStorage();
    };
    addEventListener("pagehide", suspend);
    addEventListener("pageshow", resume);
    document.addEventListener("freeze", suspend);
    document.addEventListener("resume", resume);
    return () => {
      stopWaiting();
      used.delete(this.#name);
      removeEventListener("pagehide", suspend);
      removeEventListener("pageshow", resume);
      document.removeEventListener("freeze", suspend);
      document.removeEventListener("resume", resume);
    };
  }
}

/**
 * `window.open()` copies the storage of its opener, but not its history: such a tab must not use a state that its opener has
 * stored, since that one may return to it.
 *
 * @param stored the keys of the history of the tab that has stored the state, as JSON
 */
function isCopiedTab(stored: string | null): boolean {
  const keys = historyKeys();
  if (stored === null || stored === "[]" || keys.length === 0) return isFirstDocumentOfCopiedTab();
  // A page sees only the entries of its own site next to the current one. With other entries, nothing is certain.
  if (window !== window.parent || history.length > keys.length) return false;
  return !keys.some((key) => stored.includes(key));
}

/** The entries of the tab's history keep their keys across reloads and `location.replace()`. Empty in older browsers. */
function historyKeys(): readonly string[] {
  const { navigation } = globalThis as { readonly navigation?: Pick<Navigation, "entries"> };
  return navigation?.entries().map(({ key }) => key) ?? [];
}

/** For browsers without the Navigation API. */
function isFirstDocumentOfCopiedTab(): boolean {
  if (opener === null || history.length > 1) return false;
  const [navigation] = performance.getEntriesByType("navigation");
  return (navigation as PerformanceNavigationTiming | undefined)?.type === "navigate";
}
