// The newest endings. One is explained only when somebody asks.

import { explain } from "../../../connection/explain/explain.js";
import { addressOf, pathOf } from "../identity.js";
import type { Ending, History } from "../history.js";
import type { EndingRow, Query, RowWindow } from "../wire.js";

/** The newest come first. */
export function endingWindow(history: History, { filter, offset, limit }: Query): RowWindow {
  const wanted = filter.toLowerCase();
  const rows: EndingRow[] = [];
  for (let number = history.past.ended - 1; number >= history.oldest; number--) {
    const row = rowOf(number, history.ending(number));
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
export function explainEnding(history: History, number: number): string | null {
  if (number < history.oldest || number >= history.past.ended) return null;
  const { info } = history.ending(number);
  return `${info.message}.\n\n${explain(info)}`;
}

function rowOf(number: number, { id, remoteAddress, url, info }: Ending): EndingRow {
  const { endedAt, openedAt } = info.evidence;
  return {
    number,
    id,
    address: addressOf({ remoteAddress }),
    path: pathOf({ url }),
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
