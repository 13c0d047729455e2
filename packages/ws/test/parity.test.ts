// The same program shows the same with `ws` and with `@holdfast/ws`: events and their order, states, errors, responses.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { blobScenarios } from "./scenarios/blobs.js";
import { clientScenarios } from "./scenarios/client.js";
import { closingScenarios } from "./scenarios/closing.js";
import { messageScenarios } from "./scenarios/messages.js";
import { nodeEventsScenarios } from "./scenarios/node-events.js";
import { optionScenarios } from "./scenarios/options.js";
import { pausingScenarios } from "./scenarios/pausing.js";
import { protocolScenarios } from "./scenarios/protocol-errors.js";
import { redirectScenarios } from "./scenarios/redirects.js";
import { sendingScenarios } from "./scenarios/sending.js";
import { serverScenarios } from "./scenarios/server.js";
import { serverUseScenarios } from "./scenarios/server-use.js";
import { streamScenarios } from "./scenarios/stream.js";
import { Stage, type Library, type Scenario } from "./trace.js";

const require = createRequire(import.meta.url);
const libraries = { ws: require("ws") as Library, holdfast: require("@holdfast/ws") as Library };

const groups: Readonly<Record<string, Readonly<Record<string, Scenario>>>> = {
  client: clientScenarios,
  redirects: redirectScenarios,
  options: optionScenarios,
  messages: messageScenarios,
  sending: sendingScenarios,
  pausing: pausingScenarios,
  events: nodeEventsScenarios,
  Blobs: blobScenarios,
  closing: closingScenarios,
  "invalid frames": protocolScenarios,
  server: serverScenarios,
  "use of servers": serverUseScenarios,
  stream: streamScenarios,
};

for (const [group, scenarios] of Object.entries(groups)) {
  for (const [title, scenario] of Object.entries(scenarios)) {
    test(`N4: ${group}: ${title}, as with ws`, { timeout: 120_000 }, async () => {
      const [expected, actual] = [
        await play(scenario, libraries.ws),
        await play(scenario, libraries.holdfast),
      ];
      assert.deepEqual(actual, expected);
    });
  }
}

async function play(scenario: Scenario, library: Library): Promise<unknown> {
  const stage = new Stage();
  try {
    const result = await scenario(library, stage);
    return { events: [...stage.events], result };
  } finally {
    stage.cleanUp();
  }
}
