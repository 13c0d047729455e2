// Frames that violate RFC 6455: the errors, their codes, and the Close that the peer receives.

import { once } from "node:events";
import type { Socket as NetSocket } from "node:net";
import { urlOf, type Scenario, type Socket } from "../trace.js";

/** One side writes raw bytes to the other. */
function written(
  hex: string,
  options: { server?: object; client?: object; from?: "client" | "server" } = {},
): (...parameters: Parameters<Scenario>) => Promise<readonly (readonly string[])[]> {
  return async (library, stage) => {
    const listener = await stage.serve(library, options.server);
    const accepted = once(listener, "connection") as Promise<[Socket]>;
    const client = new library(urlOf(listener), options.client ?? {});
    const both = [stage.watch(client, "client")];
    const [server] = await accepted;
    both.push(stage.watch(server, "server"));
    if (client.readyState === 0) await once(client, "open");
    const sender = options.from === "client" ? client : server;
    (sender as unknown as { _socket: NetSocket })._socket.write(Buffer.from(hex, "hex"));
    await Promise.all(both);
    const events = stage.events.splice(0);
    return ["client", "server"].map((side) => events.filter((event) => event.startsWith(side)));
  };
}

export const protocolScenarios: Readonly<Record<string, Scenario>> = {
  "an unknown opcode": written("8500"),
  "a reserved opcode of a control frame": written("8b00"),
  "RSV1 without the extension": written("c10161", { client: { perMessageDeflate: false } }),
  RSV2: written("a10161"),
  RSV3: written("910161"),
  "a masked frame": written("818161000000"),
  "an unmasked frame": written("810161", { from: "client" }),
  "an unmasked frame with an unknown opcode": written("8500", { from: "client" }),
  "a continuation without a beginning": written("800161"),
  "a fragmented control frame": written("0900"),
  "a long control frame": written("897e007e"),
  "a Close of one byte": written("880100"),
  "an invalid close code": written("880203e7"),
  "a close reason that is not UTF-8": written("880503e8ff0000"),
  "text that is not UTF-8": written("8101ff"),
  "a length of 2^53 or more": written("827f0020000000000000"),
  "text within a fragmented message": written("010161810162"),
  "binary data within a fragmented message": written("010161820162"),
  // The message is that of zlib, which says more.
  "compressed data that cannot be inflated": async (library, stage) => {
    const options = { server: { perMessageDeflate: true } };
    const [client, server] = await written("c10422faec78", options)(library, stage);
    return [client.map((event) => event.replace(/(Z_DATA_ERROR).*/, "$1")), server];
  },
  "valid messages before": written("8101618100850081017a"),
};
