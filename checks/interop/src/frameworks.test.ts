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
  // One after the other: the test of shutting down counts what is left of the process's resources.
  describe(`attach() beside ${framework.row}`, () => testFramework(framework));
}
