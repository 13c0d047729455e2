// `prepublishOnly` of each package: refuses to publish a manifest without the addresses of the project, which
// `npm run release` adds.

import { readFileSync } from "node:fs";
import { isPlaceholder } from "./publisher.mjs";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
if (isPlaceholder(manifest)) {
  console.error("Expected `npm run release`, got `npm publish`: this package.json has no `repository` yet.");
  process.exitCode = 1;
}
