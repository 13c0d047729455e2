// The options of `inspect()`, and their checks.

import { bindToContext } from "../../connection/platform.js";
import { nodePlatform } from "../../transport/node/node-platform.js";
import { requireOptions, type OptionNames } from "../../shared/option-names.js";
import { checkBoolean, checkChoice, checkFunction, invalidArgument } from "../../shared/option-checks.js";
import { coreOfTopics, type InspectedTopics } from "../../topics/core-of.js";
import type { Topics } from "../../topics/topics.js";
import type { ServerRequest } from "../upgrade/server-request.js";

/**
 * The return value of `authorize`. Only `true`, or an object with `who` and nothing else, admits the request: forgetting
 * to return something refuses everybody. A `Response` is sent as it is; anything else is refused with 403.
 */
export type InspectAuthorization =
  | Response
  | boolean
  /** Admits the request, and names the viewer in the log of actions. */
  | { readonly who: string }
  | null
  | undefined;

/** Options of `inspect()`. */
export interface InspectOptions {
  /**
   * Decides who may look. Called for each request of the page, and for the stream. Return `true` or `{ who: "name" }` to
   * admit the request, a `Response` to send it instead, anything else to refuse with 403. If it throws, the server logs
   * "the inspector failed" and answers with 500.
   */
  readonly authorize: (request: ServerRequest) => InspectAuthorization | Promise<InspectAuthorization>;
  /** The path of the page. Its stream is at this path and `/stream`. @default "/holdfast" */
  readonly path?: string | undefined;
  /**
   * Whether viewers may ping, close and terminate connections, and watch their frames; or a function that decides for
   * each viewer. Each action is logged with the viewer, as a warning. @default false
   */
  readonly actions?:
    boolean | ((request: ServerRequest, who: string | null) => boolean | Promise<boolean>) | undefined;
  /**
   * Whether watched frames show their payload: `"text"` shows the first 200 characters of text. @default "off"
   */
  readonly payloads?: "off" | "text" | undefined;
  /**
   * The topics of this process. Rows then show the subscriptions, and the page shows every process whose topics use the
   * same engine and that has an inspector. @default undefined: this process only
   */
  readonly topics?: Topics | undefined;
}

const INSPECT_OPTIONS: OptionNames<InspectOptions> = {
  authorize: true,
  path: true,
  actions: true,
  payloads: true,
  topics: true,
};

export interface InspectSettings {
  readonly authorize: (request: ServerRequest) => unknown;
  readonly path: string;
  readonly mayAct: boolean | ((request: ServerRequest, who: string | null) => unknown);
  readonly showsPayloads: boolean;
  readonly topics: InspectedTopics | null;
}

/** @throws InvalidArgumentError */
export function checkInspectOptions(options: unknown): InspectSettings {
  if (typeof options !== "object" || options === null)
    throw invalidArgument("options", "an object with `authorize`", options);
  requireOptions("inspect()", options, INSPECT_OPTIONS);
  const { authorize, path, actions, payloads, topics } = options as InspectOptions;
  checkFunction("authorize", authorize);
  const topicsCore = topics === undefined ? null : coreOfTopics(topics);
  if (topicsCore === undefined) throw invalidArgument("topics", "what createTopics() returns", topics);
  return {
    authorize: bindToContext(nodePlatform, authorize),
    path: checkPath(path ?? "/holdfast"),
    mayAct:
      typeof actions === "function"
        ? bindToContext(nodePlatform, actions)
        : checkBoolean("actions", actions, false),
    showsPayloads: checkChoice("payloads", payloads, ["off", "text"], "off") === "text",
    topics: topicsCore,
  };
}

function checkPath(value: unknown): string {
  if (typeof value === "string" && /^(\/(?!\.\.?(\/|$))[\w.~-]+)+$/.test(value)) return value;
  throw invalidArgument(
    "path",
    'a path such as "/holdfast", of letters, digits and "-._~", without "/..", and without a slash at its end',
    value,
  );
}
