// The events of `Topics.on()`.

import type { Connection } from "../connection/connection.js";
import type { TopicGap } from "./topic-event.js";

/** The events of `Topics.on()`, by name. */
export interface TopicsEvents {
  /** A subscriber of this process has missed messages. */
  readonly gap: TopicGap & { readonly connection: Connection };
}
