// Globals for the functions that tests run in a page.

import type * as browserSurface from "holdfast/browser";

declare global {
  var holdfast: typeof browserSurface;
  /** Values that a test keeps in the page between calls. */
  var kept: Record<string, unknown>;
  /** Blocks the page's main thread for so many milliseconds, without work for the processor. */
  var block: (ms: number) => void;
  /** Slows the page's timers down, as browsers do in hidden pages, and speeds them up again. */
  var slowDown: () => void;
  var speedUp: () => void;
}
