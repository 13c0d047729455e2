// The command line of `npm run autobahn`.

import { parseArgs } from "node:util";

export interface ServerCommand {
  readonly name: "server";
  readonly host: string;
  readonly port: number;
  readonly isCompressing: boolean;
  /** Bytes; null for no limit. */
  readonly maxMessageSize: number | null;
}

export interface ClientCommand {
  readonly name: "client";
  /** The URL of the fuzzing server, without a path. */
  readonly url: string;
  /** The name that the reports show. */
  readonly agent: string;
  /** The first and the last case to run; null for all. */
  readonly cases: readonly [first: number, last: number] | null;
  /** Time limit of one case, in milliseconds. */
  readonly caseTimeout: number;
  readonly isCompressing: boolean;
}

export interface ReportCommand {
  readonly name: "report";
  /** The path of an index.json of the testsuite. */
  readonly path: string;
}

export type Command = ServerCommand | ClientCommand | ReportCommand | { readonly name: "help" };

export const USAGE = `Usage: npm run autobahn -- server [--port 9001] [--host 127.0.0.1] [--max-message-size none] [--compression]
       npm run autobahn -- client [--url ws://127.0.0.1:9001] [--agent Holdfast] [--cases 1-50]
                                  [--case-timeout 120000] [--compression]
       npm run autobahn -- report checks/autobahn/reports/server/index.json

server   echoes, for the testsuite's fuzzing client (wstest -m fuzzingclient)
client   runs the cases of the testsuite's fuzzing server (wstest -m fuzzingserver) and has it write the reports
report   lists the cases of a report that did not pass; exit status 1 where there are any
`;

/** Cases of the testsuite's categories 9 and 12 take a minute or more on slow machines. */
const CASE_TIMEOUT = 120_000;

/** @throws Error with a message for the user */
export function parseCommand(words: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      agent: { type: "string", default: "Holdfast" },
      "case-timeout": { type: "string", default: String(CASE_TIMEOUT) },
      cases: { type: "string" },
      compression: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
      host: { type: "string", default: "127.0.0.1" },
      "max-message-size": { type: "string", default: "none" },
      port: { type: "string", default: "9001" },
      url: { type: "string", default: "ws://127.0.0.1:9001" },
    },
  });
  const [name, path, ...others] = positionals;
  if (values.help) return { name: "help" };
  if (name === "report" && path !== undefined && others.length === 0) return { name, path };
  if (path !== undefined) throw new Error(`Expected one command, got ${positionals.join(" ")}`);
  const isCompressing = values.compression;
  switch (name) {
    case "server": {
      const limit = values["max-message-size"];
      const maxMessageSize = limit === "none" ? null : wholeNumber("--max-message-size", limit);
      return {
        name,
        host: values.host,
        port: wholeNumber("--port", values.port),
        isCompressing,
        maxMessageSize,
      };
    }
    case "client": {
      const { agent, url } = values;
      const caseTimeout = wholeNumber("--case-timeout", values["case-timeout"]);
      return { name, url, agent, cases: parseCases(values.cases), caseTimeout, isCompressing };
    }
    case "report":
      throw new Error("Expected the path of an index.json after report");
    default:
      throw new Error(`Expected server, client or report, got ${name ?? "nothing"}`);
  }
}

function parseCases(text: string | undefined): readonly [number, number] | null {
  if (text === undefined) return null;
  const [, first = "", last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  const cases = [Number(first), Number(last)] as const;
  if (first === "" || cases[0] < 1 || cases[1] < cases[0]) {
    throw new Error(`Expected --cases to be such as 7 or 1-50, got ${text}`);
  }
  return cases;
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`Expected ${name} to be a whole number, got ${text}`);
}
