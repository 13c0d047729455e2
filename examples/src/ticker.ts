// A ticker that stays connected: it subscribes on each connection, and reconnects when the connection is
// lost.
//
//   npm run example -- ticker serve 8080
//   npm run example -- ticker watch ws://localhost:8080 HFST ACME
//
// Stop the server and start it again: the ticker continues. `--first-delay 200` makes it reconnect sooner
// than many clients at once should. Ctrl-C ends it.

import { parseArgs } from "node:util";
import { Client, ConnectionClosed, explain, persist, serve } from "holdfast";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "first-delay": { type: "string", default: "2000" } },
});
const [role, ...args] = positionals;
if (role === "serve") await quote(Number(args[0] ?? 8080));
else if (role === "watch") await watch(args[0] ?? "ws://localhost:8080", args.slice(1));
else {
  console.error("ticker serve [PORT] | ticker watch [URL] [SYMBOL...]");
  process.exitCode = 2;
}

async function watch(url: string, symbols: readonly string[]): Promise<void> {
  const client = new Client(url);
  process.once("SIGINT", () => void client.close());
  for await (const event of persist(client, { firstDelay: Number(values["first-delay"]) })) {
    switch (event.type) {
      case "ready": // Subscribe on each connection: the server does not remember the previous one.
        await subscribe(client, symbols);
        break;
      case "text": {
        const { symbol, price } = event.json() as { symbol: string; price: number };
        console.log(`${symbol} ${price.toFixed(2)}`);
        break;
      }
      case "disconnected":
        if (event.error !== null) console.error(explain(event.info));
        break;
      case "backOff":
        console.error(`Attempt ${event.attempt + 1} in ${Math.round(event.delay)} ms`);
        break;
      default: // Pings, polls and the steps of connecting.
    }
  }
}

async function subscribe(client: Client, symbols: readonly string[]): Promise<void> {
  try {
    await client.sendJson({ op: "subscribe", symbols });
  } catch (error) {
    // If the connection is lost again already, `disconnected` reports why.
    if (!(error instanceof ConnectionClosed)) throw error;
  }
}

/** The server: sends the prices of the subscribed symbols, ten times a second. */
async function quote(port: number): Promise<void> {
  const server = await serve(
    async (connection) => {
      const { symbols } = JSON.parse(String(await connection.recv())) as { symbols: readonly string[] };
      const ticker = setInterval(() => {
        for (const symbol of symbols) {
          const price = 100 + Math.random();
          void connection.send(JSON.stringify({ symbol, price })).catch(() => undefined);
        }
      }, 100);
      await connection.closed;
      clearInterval(ticker);
    },
    { port },
  );
  console.log(`Listening on ${server.url}`);
  process.once("SIGINT", () => void server.close({ code: 1001, reason: "Ctrl-C" }));
}
