// `node site/screenshots.mjs FOLDER`, after `npm run docs`: pictures of the site in Chromium, to look at. Fails if a page
// asks for anything from elsewhere, or writes an error to the console.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "vitepress";
import { root } from "../scripts/lib/root.mjs";

const folder = process.argv[2] ?? join(root, ".cache", "screenshots");
const port = 4179;
const origin = `http://localhost:${port}`;
const problems = [];

mkdirSync(folder, { recursive: true });
const { server } = await serve({ root: join(root, "site"), port });
const browser = await chromium.launch({
  executablePath: process.env.HOLDFAST_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:")) problems.push(`${page.url()} asks for ${url}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
  const shoot = async (name, path, { scheme = "light", width = 1280, isWhole = false } = {}) => {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${origin}${path}`, { waitUntil: "networkidle" });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: isWhole });
  };

  await shoot("front", "/", { isWhole: true });
  await shoot("front-dark", "/", { scheme: "dark", isWhole: true });
  await shoot("front-390", "/", { width: 390, isWhole: true });
  await shoot("task", "/rooms.html");
  await shoot("task-dark", "/logins.html", { scheme: "dark" });
  await shoot("task-390", "/rooms.html", { width: 390, isWhole: true });
  await shoot("table-390", "/deployment.html", { width: 390 });
  for (const name of ["getting-started", "testing", "redis", "coming-from", "deployment", "why-closed"]) {
    await shoot(name, `/${name}.html`, { isWhole: true });
  }
  await shoot("wide", "/rooms.html", { width: 1680 });
  await shoot("api", "/api/holdfast/functions/serve.html");

  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(`${origin}/`, { waitUntil: "networkidle" });
  const input = page.locator("#localsearch-input");
  for (const key of ["k", "K"]) {
    // "K" is what Caps Lock makes of it.
    await page.keyboard.press(`Control+${key}`);
    await input.waitFor({ timeout: 5_000 }).catch(() => problems.push(`Control+${key} opens no search`));
    await page.keyboard.press("Escape");
    await input.waitFor({ state: "detached" });
  }
  await page.locator("#local-search button").first().click();
  await input.fill("1006");
  await page.locator(".result").first().waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folder, "search.png") });
} finally {
  for (const problem of problems) console.error(problem);
  await browser.close();
  server.close();
}
process.exitCode = problems.length > 0 ? 1 : 0;
