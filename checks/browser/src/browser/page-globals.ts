// What the functions that tests run in a page see there.

import type * as browserSurface from "holdfast/browser";

declare global {
  var holdfast: typeof browserSurface;
  /** Where a test keeps what it looks at again later. */
  var kept: Record<string, unknown>;
  /** Slow the page's timers down, as browsers do where it is hidden, and up again. */
  var slowDown: () => void;
  var speedUp: () => void;
}
