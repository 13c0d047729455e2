// `npm run build && node checks/browser/dist/demo-web/screenshots.js`: the pictures of docs/images/.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DemoPage } from "./demo-page.js";

const FOLDER = fileURLToPath(new URL("../../../../docs/images/", import.meta.url));

await mkdir(FOLDER, { recursive: true });
await using demo = await DemoPage.open();
const picture = async (name: string) => {
  await demo.page.screenshot({ path: `${FOLDER}${name}.png`, fullPage: true });
};

await demo.look("light", 1000);
await demo.hasSamples(4);
await demo.press("Slow");
await demo.hasSamples(8);
await demo.press("Heal");
await demo.hasSamples(14);
await demo.page.waitForTimeout(1_000);
await picture("demo-web-healthy");

await demo.look("dark", 1000);
await demo.press("Cut");
await demo.shows({ "partysocket-state": "OPEN", "holdfast-state": "ALIVE" });
await demo.press("Freeze");
await demo.shows({ "verdict-text": "heartbeat-timeout" });
await demo.page.waitForTimeout(1_000);
await picture("demo-web-frozen");
await demo.look("light", 390);
await demo.page.waitForTimeout(300);
await picture("demo-web-narrow");
