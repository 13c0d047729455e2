// The newest endings. Keeping one costs a reference to its CloseInfo; it is explained only when somebody asks.

import type { CloseInfo } from "../../../connection/close-info.js";
import type { Connection } from "../../../connection/connection.js";
import { explain } from "../../../connection/explain/explain.js";
import type { EndingRow, Query, RowWindow } from "../wire.js";
import { addressOf, pathOf } from "./measures.js";

const KEPT = 500;

interface Ending {
  readonly id: string;
  readonly address: string | null;
  readonly path: string;
  readonly info: CloseInfo;
}

export class Endings {
  /** A ring: the ending of number n is at n modulo its size. */
  readonly #ring: Ending[] = [];
  #count = 0;

  add(connection: Connection, info: CloseInfo): void {
    this.#ring[this.#count++ % KEPT] = {
      id: connection.id,
      address: addressOf(connection),
      path: pathOf(connection),
      info,
    };
  }

  /** The newest come first. */
  window({ filter, offset, limit }: Query): RowWindow {
    const wanted = filter.toLowerCase();
    const rows: EndingRow[] = [];
    for (let number = this.#count - 1; number >= this.#oldest; number--) {
      const row = rowOf(number, this.#ring[number % KEPT]);
      if (wanted === "" || textsOf(row).some((text) => text.toLowerCase().includes(wanted))) rows.push(row);
    }
    return {
      view: "endings",
      total: rows.length,
      offset,
      connections: [],
      endings: rows.slice(offset, offset + limit),
    };
  }

  /** Null if it is not one of the newest. */
  explain(number: number): string | null {
    if (number < this.#oldest || number >= this.#count) return null;
    const { info } = this.#ring[number % KEPT];
    return `${info.message}.\n\n${explain(info)}`;
  }

  get #oldest(): number {
    return Math.max(0, this.#count - KEPT);
  }
}

function rowOf(number: number, { id, address, path, info }: Ending): EndingRow {
  const { endedAt, openedAt } = info.evidence;
  return {
    number,
    id,
    address,
    path,
    at: Math.round(endedAt),
    age: Math.round(openedAt === null ? 0 : endedAt - openedAt),
    ok: info.ok,
    code: info.code,
    reason: info.reason,
    cause: info.cause,
  };
}

function textsOf({ id, address, path, cause, code, reason }: EndingRow): readonly string[] {
  return [id, address ?? "", path, cause, String(code), reason];
}
