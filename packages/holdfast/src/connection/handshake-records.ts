// The opening handshake as an application sees it afterwards. Headers are made when somebody asks for them: most
// connections are never asked, and ten thousand idle ones must be cheap.

import type { HeaderList } from "../protocol/handshake/header-list.js";

/** The client's request. */
export class HandshakeRequest {
  readonly method: string;
  /** Path and query, as they stood in the request line. */
  readonly target: string;
  readonly #fields: HeaderList;

  constructor(method: string, target: string, fields: HeaderList) {
    this.method = method;
    this.target = target;
    this.#fields = fields;
  }

  /** The header fields; a new object each time. */
  get headers(): Headers {
    return this.#fields.toHeaders();
  }
}

/** The server's answer. */
export class HandshakeResponse {
  readonly status: number;
  readonly #fields: () => HeaderList;

  /** @param fields is called when somebody asks for the headers */
  constructor(status: number, fields: () => HeaderList) {
    this.status = status;
    this.#fields = fields;
  }

  /** The header fields; a new object each time. */
  get headers(): Headers {
    return this.#fields().toHeaders();
  }
}
