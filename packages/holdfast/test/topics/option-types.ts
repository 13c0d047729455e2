// The options of topics: values that fit, which have to compile, and ones that do not, which must not compile.

import type {
  ClientPublishOptions,
  HistoryOptions,
  OpenOptions,
  PublishOptions,
  SubscribeOptions,
  SubscriptionOptions,
  TopicsOptions,
} from "holdfast/topics";
import { memoryEngine } from "holdfast/topics";

/** For each option, values that fit. */
type Fitting<Options> = { readonly [Name in keyof Required<Options>]: readonly Options[Name][] };

const { signal } = new AbortController();
const position = { epoch: "a", offset: 1 };

export const fitting = {
  ofTopics: {
    engine: [memoryEngine(), undefined],
    history: [true, false, { messages: 10 }, {}],
    maxRecovery: [10],
    logger: [console, null, undefined],
  } satisfies Fitting<TopicsOptions>,
  ofHistory: { messages: [10], age: [1_000] } satisfies Fitting<HistoryOptions>,
  ofPublish: {
    id: ["order 1"],
    history: [true, { age: 1_000 }],
    compress: [false],
    signal: [signal, null],
  } satisfies Fitting<PublishOptions>,
  ofSubscribe: {
    since: ["now", position],
    slow: ["skip", "close", "buffer", "catch-up"],
    limit: [1_024, null],
    presence: [null, { name: "Ann" }, 1],
  } satisfies Fitting<SubscribeOptions>,
  ofOpen: {
    authorize: [() => true, async () => false],
    publish: [() => true, undefined],
    maxSubscriptions: [10],
  } satisfies Fitting<OpenOptions>,
  ofSubscription: { since: ["now", position], signal: [signal, null] } satisfies Fitting<SubscriptionOptions>,
  ofClientPublish: {
    id: ["order 1"],
    signal: [signal, null],
  } satisfies Fitting<ClientPublishOptions>,
};

export const wrong: readonly [
  TopicsOptions,
  HistoryOptions,
  PublishOptions,
  SubscribeOptions,
  OpenOptions,
  SubscriptionOptions,
] = [
  // @ts-expect-error: expected an engine
  { engine: {} },
  // @ts-expect-error: expected a number
  { age: "5 minutes" },
  // @ts-expect-error: expected a string
  { id: 1 },
  // @ts-expect-error: expected a policy
  { slow: "fast" },
  // @ts-expect-error: expected a function
  { authorize: true },
  // @ts-expect-error: expected a Position or "now"
  { since: "then" },
];
