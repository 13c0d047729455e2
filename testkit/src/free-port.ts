import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The bus of a Redis cluster has the port of its server and so much. Ports from 10,000 to 19,999 are none of a bus, and systems
 * take those of connections, and of servers that ask for any port, from 32,768 on (Linux).
 */
const BUS = 10_000;

/** The ports that a process has, as files that hold its id: those of several suites at once differ. */
const RESERVATIONS = join(tmpdir(), "holdfast-ports");

const reserved: string[] = [];

/**
 * A port of the loopback interface that is free, as is the one 10,000 above. No other process is expected to take it:
 * a system gives it to nobody that does not ask for it, and no other process gets it here while this one runs, so that
 * a server can stop and start again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(BUS, 2 * BUS);
    if (reserve(port) && (await isFree(port)) && (await isFree(port + BUS))) return port;
  }
}

function reserve(port: number): boolean {
  if (reserved.length === 0) {
    mkdirSync(RESERVATIONS, { recursive: true });
    process.once("exit", () => reserved.forEach((path) => rmSync(path, { force: true })));
  }
  const path = join(RESERVATIONS, String(port));
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
  } catch {
    if (!hasEnded(path)) return false;
    rmSync(path, { force: true });
    return false; // Another port is as good.
  }
  reserved.push(path);
  return true;
}

/** Whether the process that has reserved it was killed. */
function hasEnded(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, "utf8")), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"; // Of kill() or of readFileSync().
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false;
  }
  await once(server.close(), "close");
  return true;
}
