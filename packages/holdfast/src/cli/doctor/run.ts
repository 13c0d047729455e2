// `holdfast doctor`: diagnoses problems of a connection.

import { connect, type ConnectOptions } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { EXIT } from "../exit-codes.js";
import { openingAdvice } from "../connection/opening-advice.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import type { Console } from "../terminal/console.js";
import { withProgress } from "../terminal/progress.js";
import { showFinding, type Finding } from "./finding.js";
import { examineIdleness } from "./idle.js";
import { examineConnection } from "./open-connection.js";
import { examineNetwork } from "./network.js";
import { proxySetting } from "./proxy.js";

export async function examine(given: Arguments, console: Console): Promise<number> {
  const url = completeURL(given.operands[0]);
  const idle = given.duration("idle", 75_000);
  const options = peerOptions(given);
  await checkArguments(url, options);
  const show = (finding: Finding): boolean => {
    showFinding(finding, console, given.has("json"));
    return finding.verdict !== "failed";
  };
  let isHealthy = true;
  const target = new URL(url);
  const proxy = target.protocol === "ws+unix:" ? null : proxySetting(target, given);
  if (proxy !== null) {
    const text = `${proxy} names one: it connects to the server, so DNS, TCP and TLS are not tested separately`;
    show({ check: "proxy", verdict: "ok", text });
  } else if (target.protocol !== "ws+unix:") {
    const limits = { openTimeout: given.duration("open-timeout", 10_000), signal: console.interrupted };
    for await (const finding of examineNetwork(target, options.tls ?? {}, limits)) {
      if (console.interrupted.aborted) return EXIT.interrupted; // Ctrl-C is no finding.
      isHealthy = show(finding) && isHealthy;
    }
  }
  if (!isHealthy) return EXIT.failed;
  const advise = (error: unknown): Promise<string | null> => openingAdvice(error, url, given);
  for await (const finding of examineConnection(url, options, advise)) {
    if (console.interrupted.aborted) return EXIT.interrupted;
    isHealthy = show(finding) && isHealthy;
  }
  if (!isHealthy) return EXIT.failed;
  if (idle !== null)
    show(
      await withProgress(
        console,
        (passed) => `holding idle connections: ${passed} of ${idle / 1000} s (Ctrl-C: enough)`,
        () => examineIdleness(url, options, idle, console.interrupted),
      ),
    );
  return console.interrupted.aborted ? EXIT.interrupted : EXIT.ok;
}

/**
 * Without a word to the network: `connect()` looks at the signal after it has checked the URL and the options.
 * @throws InvalidURLError and others, which are usage errors
 */
async function checkArguments(url: string, options: ConnectOptions): Promise<void> {
  const checked = new AbortController();
  checked.abort();
  await connect(url, { ...options, signal: checked.signal }).catch((error: unknown) => {
    if (error !== checked.signal.reason) throw error;
  });
}
