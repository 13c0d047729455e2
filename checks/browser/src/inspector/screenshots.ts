// `npm run build && node checks/browser/dist/inspector/screenshots.js [FOLDER] [CONNECTIONS]`: pictures of the inspector.

import { mkdir } from "node:fs/promises";
import { FaultProxy } from "holdfast-testkit";
import { connect } from "holdfast";
import { Inspected } from "./inspected.js";

const [folder = ".cache/inspector", connections = "10000"] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
await using scene = await Inspected.open(
  { actions: true, payloads: "text" },
  { pingInterval: 5_000, pingTimeout: 60_000, sessions: true },
);
const picture = async (name: string, fullPage = false) => {
  await scene.page.waitForTimeout(1_500);
  await scene.page.screenshot({ path: `${folder}/${name}.png`, fullPage });
};

await scene.look("light", 1280);
await scene.show();
await picture("inspector-empty");

await scene.crowd(Number(connections), 1_000);
await scene.page.waitForTimeout(20_000);
await picture("inspector-many");

// One peer freezes, and one sends more than the server reads.
const proxy = await FaultProxy.start({ target: { port: scene.server.port } });
const frozen = await connect(`${proxy.url("ws")}feed`);
frozen.discard();
await scene.page.waitForTimeout(6_000);
proxy.freeze();
await scene.page.waitForTimeout(9_000);
await picture("inspector-trouble");
await scene.look("dark", 1280);
await picture("inspector-dark");
await scene.look("light", 390, 844);
await picture("inspector-narrow", false);
await scene.page.getByRole("button", { name: "Endings" }).scrollIntoViewIfNeeded();
await picture("inspector-narrow-table", false);
await scene.look("dark", 390, 844);
await picture("inspector-narrow-dark", false);
await scene.look("light", 1280);
await scene.page.locator("tbody .open").first().click();
await scene.page.getByRole("button", { name: "Watch frames for 30 s" }).click();
await picture("inspector-details");
await scene.page.getByRole("button", { name: "Close panel" }).click();
frozen.terminate();
proxy.heal();
await proxy.close();
await scene.page.getByRole("button", { name: "Endings" }).click();
await picture("inspector-endings");
