// Requests that a server is to judge.

import { judgeRequest, type JudgeOptions } from "../../../dist/protocol/handshake/server-handshake.js";
import { requestHead, SAMPLE_KEY } from "./heads.js";

export const OPTIONS: JudgeOptions = { isSecure: false, origins: "same-origin", subprotocols: [] };
export const LINE = "GET /chat HTTP/1.1";
/** The fields that an upgrade needs. */
export const REQUIRED = {
  Host: "example.com",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": SAMPLE_KEY,
  "Sec-WebSocket-Version": "13",
};

export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** Judges a request with the required fields and those given; an empty list takes one away. */
export function judge(line: string, fields: Fields, options = OPTIONS) {
  const lines = Object.entries({ ...REQUIRED, ...fields } satisfies Fields).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  );
  return judgeRequest(requestHead(line, ...lines), options);
}
