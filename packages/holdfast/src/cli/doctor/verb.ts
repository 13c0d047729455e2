// `holdfast doctor`: what is the matter with this connection?

import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { EXIT } from "../exit-codes.js";
import { isDirect, openingAdvice } from "../connection/opening-advice.js";
import { completeURL, PEER_OPTIONS, peerOptions } from "../connection/peer-options.js";
import type { Console } from "../terminal/console.js";
import { withProgress } from "../terminal/progress.js";
import type { Verb } from "../verb.js";
import { showFinding, type Finding } from "./finding.js";
import { examineIdleness } from "./idle.js";
import { examineConnection } from "./open-connection.js";
import { examineNetwork } from "./network.js";

export const doctorVerb: Verb = {
  name: "doctor",
  summary: "find out what ails a connection, and what to do about it",
  operands: "<url>",
  operandCount: [1, 1],
  unit: "s",
  options: {
    idle: { value: "TIME", help: "how long to hold idle connections at most (75s), or off" },
    json: { help: "one JSON object per check" },
    ...PEER_OPTIONS,
  },
  notes: `Times each step to the server, shows what was negotiated, measures latency, and finds out after how long an idle
connection is cut by whatever stands in between: for that it holds some connections for up to --idle seconds.
Ctrl-C ends that early, with what is known by then.

  holdfast doctor --idle 120 wss://example.com/feed

Exit code: 0 without a failed check (warnings do not count), 1 with one.`,
  run: examine,
};

async function examine(given: Arguments, console: Console): Promise<number> {
  const url = completeURL(given.operands[0]);
  const idle = given.duration("idle", 75_000);
  const options = peerOptions(given);
  if (!URL.canParse(url))
    throw new UsageError(`Expected the URL of a server, such as wss://example.com/, got "${url}".`);
  const show = (finding: Finding): boolean => {
    showFinding(finding, console, given.has("json"));
    return finding.verdict !== "failed";
  };
  // Through a proxy the way is the proxy's, and in a Unix socket there is none.
  let isHealthy = true;
  if (isDirect(url, given)) {
    for await (const finding of examineNetwork(new URL(url), options.tls ?? {}, console.interrupted)) {
      const isAccepted = finding.check === "certificate" && given.has("insecure");
      isHealthy = (show(finding) || isAccepted) && isHealthy;
    }
  }
  if (!isHealthy) return EXIT.failed;
  const advise = (error: unknown): Promise<string | null> => openingAdvice(error, url, given);
  for await (const finding of examineConnection(url, options, advise)) isHealthy = show(finding) && isHealthy;
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
