// Servers with an inspector, for the tests of a suite.

import { afterEach, beforeEach } from "node:test";
import {
  inspect,
  serve,
  type Connection,
  type InspectOptions,
  type ServeOptions,
  type Server,
} from "../../../build/index.js";
import { activeResources, assertNothingLeft, type ResourceCounts } from "holdfast-testkit";
import { recordingLogger } from "../recording-logger.js";

type Start = (options?: Partial<InspectOptions>, serveOptions?: ServeOptions) => Promise<Server>;

/**
 * Called within a suite. After each test, its `servers` are closed, and nothing may be left of them. `lines` is what they
 * have logged during the test.
 */
export function inspectedServers(
  handler: (connection: Connection) => unknown,
  defaults: InspectOptions,
): { readonly start: Start; readonly servers: Server[] } & Pick<ReturnType<typeof recordingLogger>, "lines"> {
  let resources: ResourceCounts;
  const servers: Server[] = [];
  const { logger, lines } = recordingLogger();

  beforeEach(() => {
    resources = activeResources();
    lines.length = 0;
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
    await assertNothingLeft(resources);
  });

  const start: Start = async (options = {}, serveOptions = {}) => {
    const server = await serve(handler, { host: "127.0.0.1", logger, ...serveOptions });
    servers.push(server);
    inspect(server, { ...defaults, ...options });
    return server;
  };
  return { start, servers, lines };
}
