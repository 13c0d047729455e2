// attach() beside the routes of web frameworks.

import { describe } from "node:test";
import { expressFramework } from "./frameworks/express.js";
import { fastifyFramework } from "./frameworks/fastify.js";
import { honoFramework } from "./frameworks/hono.js";
import { noteVersion } from "./matrix/test-cell.js";
import { installedVersion } from "./peers/installed-version.js";
import { testFramework } from "./scenes/framework-tests.js";

for (const framework of [expressFramework, fastifyFramework, honoFramework]) {
  noteVersion(framework.row, installedVersion(framework.packageName));
  // One after another: the test of shutting down counts the remaining resources of the process.
  describe(`attach() beside ${framework.row}`, () => testFramework(framework));
}
