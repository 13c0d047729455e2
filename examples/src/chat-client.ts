// A chat client that survives restarts of the server: lines typed while the server is down are sent when it
// returns.
//
//   npm run example -- chat serve 8080
//   npm run example -- chat-client ws://localhost:8080 Ada
//
// `--first-delay 200` makes it reconnect sooner than many clients at once should. Ctrl-D ends it.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Client, ConnectionClosed, explain, persist, type CloseInfo } from "holdfast";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "first-delay": { type: "string", default: "2000" } },
});
const room = new URL(positionals[0] ?? "ws://localhost:8080");
room.searchParams.set("name", positionals[1] ?? "somebody");

const client = new Client(room);
/** Lines that were typed while there was no connection. */
const drafts: string[] = [];

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  if (client.connection === null) drafts.push(line);
  else void say(line);
});
input.on("close", () => void client.close()); // Earlier lines are sent first.

/** How the latest attempt ended, unless another one has started. */
let ending: CloseInfo | null = null;
for await (const event of persist(client, { firstDelay: Number(values["first-delay"]) })) {
  switch (event.type) {
    case "ready":
      console.error("(connected)");
      for (const line of drafts.splice(0)) void say(line);
      break;
    case "text":
      console.log(event.text);
      break;
    case "disconnected":
      ending = event.info;
      break;
    case "backOff":
      console.error(`(${event.reason}; back in ${(event.delay / 1000).toFixed(1)} s, what you type is kept)`);
      ending = null;
      break;
    default: // Pings, polls and the steps of connecting.
  }
}
input.close();
if (drafts.length > 0) console.error(`Never sent: ${drafts.join(" / ")}`);
if (ending?.ok === false) {
  console.error(explain(ending));
  process.exitCode = 1;
}

async function say(line: string): Promise<void> {
  try {
    await client.send(line);
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
    // The line may have arrived, so the user has to decide whether to send it again.
    console.error(`May not have arrived: ${line}`);
  }
}
