// Requests for a server to check.

import { judgeRequest, type JudgeOptions } from "../../../build/protocol/handshake/server-handshake.js";
import { chooseSubprotocol, type SubprotocolOptions } from "../../../build/protocol/handshake/subprotocol.js";
import { requestHead, SAMPLE_KEY } from "./heads.js";

export type Options = JudgeOptions & SubprotocolOptions;

export const OPTIONS: Options = { isSecure: false, origins: "same-origin", subprotocols: [] };
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

/** Checks a request with the required and the given fields (an empty list removes one), and chooses a subprotocol. */
export function judge(line: string, fields: Fields, options = OPTIONS) {
  const lines = Object.entries({ ...REQUIRED, ...fields } satisfies Fields).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  );
  const judgement = judgeRequest(requestHead(line, ...lines), options);
  if (judgement.outcome !== "upgrade") return judgement;
  const { offeredSubprotocols, ...rest } = judgement;
  return { ...rest, ...chooseSubprotocol(offeredSubprotocols, options) };
}
