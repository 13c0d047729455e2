// `node checks/browser/dist/sessions/main.js [CUTS] [SEED]`: cuts a session of a page in Chromium, and prints what was
// lost, duplicated or out of order. Exits with 1 if anything was.

import { Browser, skip } from "../browser/chromium.js";
import { cutAtRandomBytes } from "./cuts.js";
import { openSessionScene } from "./session-scene.js";

const [cuts = 1_000, seed = 1] = process.argv.slice(2).map(Number);

if (skip !== false) throw new Error(skip);
await using browser = await Browser.start();
await using scene = await openSessionScene();
const report = await cutAtRandomBytes(await browser.openPage(), scene, { cuts, seed });
console.log({ seed, ...report });
const { toPage, toServer } = report;
const faults = [toPage, toServer].flatMap(({ sent: _, ...each }) => Object.values<number>(each));
if (report.sessions !== 1 || faults.some((count) => count > 0)) process.exitCode = 1;
