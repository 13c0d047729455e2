// Starts Chromium as a user does. Playwright's own launch gives every page the focus, so that none is ever
// hidden; here a tab behind another one is hidden, and its timers are throttled.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type BrowserContext, chromium } from "playwright-core";

export interface RunningChromium {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

export async function startPlainChromium(
  executable: string,
  profile: string,
  flags: readonly string[],
): Promise<RunningChromium> {
  const child = spawn(
    executable,
    ["--headless=new", ...flags, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const exit = once(child, "exit");
  const browser = await chromium.connectOverCDP(await endpointOf(child), { noDefaults: true });
  const [context] = browser.contexts();
  if (context === undefined) throw new Error("Expected the browser to have a context");
  return {
    context,
    async close() {
      await browser.close();
      child.kill();
      await exit;
    },
  };
}

/** Chromium prints the endpoint that controls it on stderr. */
async function endpointOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error("Expected the browser's stderr to be a pipe");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    const endpoint = /^DevTools listening on (\S+)/.exec(line)?.[1];
    if (endpoint !== undefined) {
      child.stderr.resume(); // Drain further output, so that the pipe does not fill.
      return endpoint;
    }
    said.push(line);
  }
  throw new Error(`Expected Chromium to listen for DevTools, got:\n${said.join("\n")}`);
}
