// Checks a page with axe: no rule is violated, and nothing is wider than the screen.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type axe from "axe-core";
import type { Page } from "playwright-core";

export type Theme = "dark" | "light";
export type Look = readonly [theme: Theme, width: number];

interface Scene {
  readonly page: Page;
  look(theme: Theme, width: number): Promise<void>;
}

export async function assertAccessible(scene: Scene, looks: readonly Look[]): Promise<void> {
  const source = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
  await scene.page.evaluate(source);
  for (const [theme, width] of looks) {
    await scene.look(theme, width);
    const found = await scene.page.evaluate(async () => {
      const { run } = (globalThis as unknown as { axe: typeof axe }).axe; // Defined by the script above.
      const { violations, passes } = await run();
      return {
        isTested: passes.length > 10,
        isTooWide: document.documentElement.scrollWidth > innerWidth,
        violations: violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]),
      };
    });
    assert.deepEqual(
      { theme, width, ...found },
      { theme, width, isTested: true, isTooWide: false, violations: [] },
    );
  }
}
