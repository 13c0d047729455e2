// An upgrade that the server grants: its response, and the values for its connection.

import type { ByteStream } from "../../connection/ports.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import type { UpgradeResponse } from "../../protocol/handshake/server-responses.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import type { Upgrade } from "./admission-policy.js";

/** An upgrade that nothing prevents any more; `rest` holds the bytes that followed the request. */
export interface AcceptedUpgrade {
  readonly transport: ByteStream;
  /** The bytes to send before the first frame; null if they have been sent. */
  readonly preface: Uint8Array | null;
  readonly head: RequestHead;
  readonly origin: RequestOrigin;
  readonly upgrade: Upgrade;
  readonly rest: Uint8Array;
}

export function responseTo({ key, choice, deflate, grant }: Upgrade): UpgradeResponse {
  return {
    key,
    subprotocol: choice.subprotocolAnswer,
    extensions: deflate?.header ?? null,
    headers: grant.headers.length === 0 ? undefined : grant.headers,
  };
}
