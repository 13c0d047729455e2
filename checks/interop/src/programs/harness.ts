// The common part of the peers in JavaScript, like python/harness.py.
//
// A peer is started with its role, "server" or "client", and settings as JSON. It writes what it sees as lines of
// JSON. A client connects to each URL that it reads from standard input. The path of every URL, on either side, is
// the script of that connection. A peer ends when its standard input does.

import process from "node:process";
import { createInterface } from "node:readline";
import type { PeerRole, PeerSettings, Report } from "../peers/peer.js";
import { type NamedScript, scriptOf } from "./script-of.js";

export const role = process.argv[2] as PeerRole; // peers/peer-process.ts passes them.

export const settings = JSON.parse(process.argv[3] ?? "{}") as PeerSettings;

export function report(seen: Report): void {
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}

/** For servers: ends this process when its parent has exited. */
export function endWithStdin(): void {
  process.stdin.on("end", () => process.exit(0)).resume();
}

/** For clients: calls `connect` for each URL, without waiting for the previous one. */
export function forEachURL(connect: (url: string, script: NamedScript) => Promise<void>): void {
  createInterface(process.stdin)
    .on("line", (line) => {
      const url = line.trim();
      const script = scriptOf(url);
      connect(url, script).catch((error: unknown) => {
        report({ event: "failed", id: script.id, says: String(error) });
      });
    })
    .on("close", () => process.exit(0));
  report({ event: "ready" });
}
