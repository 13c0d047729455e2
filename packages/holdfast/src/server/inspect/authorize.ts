// Asks the application whether a request may look at its connections.

import { isPlainObject, tagOf } from "../../shared/option-checks.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import type { InspectSettings } from "./options.js";

/** The viewer of a request, and whether they may act. */
export interface Viewer {
  /** As `authorize` names it; null if it does not. */
  readonly who: string | null;
  readonly address: string | null;
  readonly mayAct: boolean;
}

/** Refuses with a Response. */
export async function authorize(
  { authorize: decide, mayAct }: InspectSettings,
  request: ServerRequest,
): Promise<Response | Viewer> {
  const address = request.remoteAddress?.address ?? null; // Before the client may disconnect.
  const verdict = await decide(request);
  if (isResponse(verdict)) return verdict;
  const who = nameIn(verdict);
  if (verdict !== true && who === null) return refusal(403, "Expected a viewer that `authorize` admits.");
  return {
    who,
    address,
    mayAct: (typeof mayAct === "function" ? await mayAct(request, who) : mayAct) === true,
  };
}

export function refusal(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, {
    status,
    headers: {
      ...headers,
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

/** Other realms create Responses too, and a user's record is none. */
function isResponse(verdict: unknown): verdict is Response {
  return tagOf(verdict) === "Response";
}

/**
 * An object of a class, or with more fields than `who`, may be anything, such as an error, or the record of a user who
 * may not look.
 */
function nameIn(verdict: unknown): string | null {
  if (!isPlainObject(verdict)) return null;
  const entries: [string, unknown][] = Object.entries(verdict as object);
  if (entries.length !== 1) return null;
  const [[name, who]] = entries;
  return name === "who" && typeof who === "string" && who !== "" ? who.slice(0, LONGEST_NAME) : null;
}

const LONGEST_NAME = 100;
