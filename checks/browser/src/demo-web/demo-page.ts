// The demo page, open in Chromium.

import { type Site, startSite } from "holdfast-demo-web";
import type { Page } from "playwright-core";
import type { Theme } from "../browser/accessibility.js";
import { Browser } from "../browser/chromium.js";

type ClientName = "bare" | "holdfast" | "partysocket";

export interface Comparison {
  readonly clients: Readonly<
    Record<
      ClientName,
      {
        readonly received: number;
        readonly toCome: number;
        readonly missed: number;
        readonly repeated: number;
      }
    >
  >;
  readonly caption: string;
}

export class DemoPage implements AsyncDisposable {
  readonly page: Page;
  /** Uncaught errors of the page since it loaded. */
  readonly errors: readonly string[];
  readonly #site: Site;
  readonly #browser: Browser;

  static async open(): Promise<DemoPage> {
    const browser = await Browser.start();
    const site = await startSite();
    const page = await browser.context.newPage();
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    await page.goto(site.url);
    return new DemoPage(page, errors, site, browser);
  }

  private constructor(page: Page, errors: readonly string[], site: Site, browser: Browser) {
    this.page = page;
    this.errors = errors;
    this.#site = site;
    this.#browser = browser;
  }

  async press(name: "Cut" | "Freeze" | "Heal" | "Slow"): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** Waits until each element, by id, contains its text. */
  async shows(texts: Readonly<Record<string, string>>, timeout = 30_000): Promise<void> {
    await this.page.waitForFunction(
      (wanted) =>
        Object.entries(wanted).every(([id, text]) => document.getElementById(id)?.textContent.includes(text)),
      texts,
      { timeout },
    );
  }

  async textOf(id: string): Promise<string> {
    return (await this.page.locator(`#${id}`).textContent()) ?? "";
  }

  /** The tiles of the clients and the caption below them, at one moment. */
  async comparison(): Promise<Comparison> {
    return this.page.evaluate(() => {
      const figure = (id: string): number => Number(document.getElementById(id)?.textContent);
      const figures = (id: string): Comparison["clients"][ClientName] => ({
        received: figure(`${id}-received`),
        toCome: figure(`${id}-to-come`),
        missed: figure(`${id}-missed`),
        repeated: figure(`${id}-repeated`),
      });
      return {
        clients: {
          holdfast: figures("holdfast"),
          partysocket: figures("partysocket"),
          bare: figures("bare"),
        },
        caption: document.getElementById("comparison-caption")?.textContent ?? "",
      };
    });
  }

  /** The caption of the chart and the tiles below it, at one moment. */
  async latency(): Promise<{
    readonly caption: string;
    readonly newest: string | undefined;
    readonly median: string | undefined;
  }> {
    return this.page.evaluate(() => {
      const [newest, median] = Array.from(
        document.querySelectorAll("#statistics dd"),
        (tile) => tile.textContent,
      );
      return { caption: document.getElementById("chart-summary")?.textContent ?? "", newest, median };
    });
  }

  /** Waits until the chart has this many samples. */
  async hasSamples(count: number): Promise<void> {
    await this.page.waitForFunction(
      (least) => document.querySelectorAll("#chart .sample").length >= least,
      count,
      {
        timeout: 30_000,
      },
    );
  }

  async look(theme: Theme, width: number, height = 900): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await this.page.setViewportSize({ width, height });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]();
    await this.#site.close();
  }
}
