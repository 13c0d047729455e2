// A Cloudflare Worker that is a client of the server in `?url=`: responds with a line for each thing that works.

import { connect, connectPersistent } from "holdfast/browser";
import { subscribe } from "holdfast/topics";

const worker = {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url).searchParams.get("url") ?? "";
    const lines: string[] = [];

    const connection = await connect(url);
    await connection.send("hello");
    lines.push(`message: ${String(await connection.recv())}`);
    lines.push(`latency: ${(await connection.ping()) >= 0 && connection.latency !== null}`);
    for await (const event of subscribe(connection, "news", { since: { epoch: "none", offset: 0 } })) {
      lines.push(`topic: ${event.type}`);
      break;
    }
    const { code, cause } = await connection.close();
    lines.push(`close: ${code} ${cause}`);

    const link = connectPersistent(url, { session: true });
    await link.send("until delivered", { until: "delivered" });
    lines.push(`session: ${String(await link.recv())} ${link.connection?.session !== null}`);
    await link.close();

    const failure = await connect(new URL("/refused", url)).catch((error: unknown) => error);
    lines.push(`refused: ${failure instanceof Error ? failure.name : "opened"}`);
    return new Response(`${lines.join("\n")}\n`);
  },
};

// eslint-disable-next-line no-restricted-syntax -- Workers demand a default export
export default worker;
