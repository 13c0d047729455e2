// The code of options that few servers have, loaded for those that do.

import type { acceptDeflate } from "../protocol/deflate/negotiation.js";
import { ignore } from "../shared/deferred.js";
import { loadCode } from "../shared/load-code.js";
import type { ServerSettings } from "./options.js";
import type * as SessionCode from "./sessions/session-code.js";

export interface ServerCode {
  /** Null without `compression`. */
  readonly acceptDeflate: typeof acceptDeflate | null;
  /** Null without `sessions`. */
  readonly sessions: typeof SessionCode | null;
}

const NO_CODE: ServerCode = { acceptDeflate: null, sessions: null };

/** Synchronously, if no option needs any. */
export function loadServerCode({ connection, sessions }: ServerSettings): Promise<ServerCode> | ServerCode {
  if (connection.compression === null && sessions === null) return NO_CODE;
  return loadCode("an option", async () => {
    const [deflate, sessionCode] = await Promise.all([
      connection.compression === null ? null : import("../protocol/deflate/negotiation.js"),
      sessions === null ? null : import("./sessions/session-code.js"),
    ]);
    return { acceptDeflate: deflate?.acceptDeflate ?? null, sessions: sessionCode };
  });
}

/** The code of one server. `attach()` cannot wait for it, so that requests may have to. */
export class LoadedCode {
  #code: ServerCode = NO_CODE;
  #loading: Promise<void> | null = null;

  /** @param onLoaded called when the code is there, perhaps at once */
  constructor(code: Promise<ServerCode> | ServerCode, onLoaded: (code: ServerCode) => void) {
    if (code instanceof Promise) {
      this.#loading = code.then((loaded) => this.#use(loaded, onLoaded));
      this.#loading.catch(ignore); // The requests report it.
    } else this.#use(code, onLoaded);
  }

  /** Null once the code is there; rejects with HandshakeError. */
  get loading(): Promise<void> | null {
    return this.#loading;
  }

  get acceptDeflate(): ServerCode["acceptDeflate"] {
    return this.#code.acceptDeflate;
  }

  get sessions(): ServerCode["sessions"] {
    return this.#code.sessions;
  }

  #use(code: ServerCode, onLoaded: (code: ServerCode) => void): void {
    this.#loading = null;
    this.#code = code;
    onLoaded(code);
  }
}
