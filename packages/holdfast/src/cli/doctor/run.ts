// `holdfast doctor`: diagnoses problems of a connection.

import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { EXIT } from "../exit-codes.js";
import { isDirect, openingAdvice } from "../connection/opening-advice.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import type { Console } from "../terminal/console.js";
import { withProgress } from "../terminal/progress.js";
import { showFinding, type Finding } from "./finding.js";
import { examineIdleness } from "./idle.js";
import { examineConnection } from "./open-connection.js";
import { examineNetwork } from "./network.js";

export async function examine(given: Arguments, console: Console): Promise<number> {
  const url = completeURL(given.operands[0]);
  const idle = given.duration("idle", 75_000);
  const options = peerOptions(given);
  if (!URL.canParse(url))
    throw new UsageError(`Expected the URL of a server, such as wss://example.com/, got "${url}".`);
  const show = (finding: Finding): boolean => {
    showFinding(finding, console, given.has("json"));
    return finding.verdict !== "failed";
  };
  // With a proxy the proxy connects to the server, and with a Unix socket there is no network.
  let isHealthy = true;
  if (isDirect(url, given)) {
    const limits = { openTimeout: given.duration("open-timeout", 10_000), signal: console.interrupted };
    for await (const finding of examineNetwork(new URL(url), options.tls ?? {}, limits)) {
      if (console.interrupted.aborted) return EXIT.interrupted; // Ctrl-C is no finding.
      const isAccepted = finding.check === "certificate" && given.has("insecure");
      isHealthy = (show(finding) || isAccepted) && isHealthy;
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
