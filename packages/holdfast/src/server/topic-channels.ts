// Publishes the events of this process's topics on channels of node:diagnostics_channel. Without subscribers, a channel
// costs one check.

import { channel } from "node:diagnostics_channel";
import type { TopicsDiagnosticsMessages, TopicsObserver } from "../topics/diagnostics.js";

const CHANNELS = {
  "holdfast:topic:publish": channel("holdfast:topic:publish"),
  "holdfast:topic:deliver": channel("holdfast:topic:deliver"),
  "holdfast:topic:gap": channel("holdfast:topic:gap"),
  "holdfast:topic:slow": channel("holdfast:topic:slow"),
  "holdfast:topic:lag": channel("holdfast:topic:lag"),
  "holdfast:topic:subscribe": channel("holdfast:topic:subscribe"),
  "holdfast:topic:unsubscribe": channel("holdfast:topic:unsubscribe"),
  "holdfast:topic:presence": channel("holdfast:topic:presence"),
  "holdfast:topic:refused": channel("holdfast:topic:refused"),
  "holdfast:topic:retry": channel("holdfast:topic:retry"),
  "holdfast:engine:state": channel("holdfast:engine:state"),
} satisfies Readonly<Record<keyof TopicsDiagnosticsMessages, object>>;

export const topicChannels: TopicsObserver = {
  wants: (name) => CHANNELS[name].hasSubscribers,
  emit: (name, message) => CHANNELS[name].publish(message),
};
