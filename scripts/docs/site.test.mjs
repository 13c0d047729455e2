// The check of the built site sees what it is for. `npm run docs` runs it on the site.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { problems } from "../../site/check.mjs";

async function check(files) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-site-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return await problems(folder, "/docs/");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("Docs: a site whose links have targets has no problems", async () => {
  const files = {
    "index.html":
      '<link rel="stylesheet" href="/docs/style.css"><a href="/docs/api/#top"></a><a href="api/">',
    "api/index.html": '<h1 id="top"></h1><a href="../index.html"></a><a href="https://example.com/"></a>',
    "style.css": "body { background: url(data:image/png;base64,AA) }",
  };
  assert.deepEqual(await check(files), []);
});

test("Docs: dead links, dead anchors and resources from elsewhere are seen", async () => {
  const files = {
    "index.html":
      '<a href="/docs/none.html"></a><a href="#none"></a><script src="https://example.com/a.js"></script>',
    "style.css": '@import "//example.com/b.css"; body { background: url(https://example.com/c.png) }',
  };
  assert.deepEqual(await check(files), [
    "index.html: no target for the link /docs/none.html",
    "index.html: no target for the link #none",
    "index.html: loads https://example.com/a.js",
    "style.css: loads //example.com/b.css",
    "style.css: loads https://example.com/c.png",
  ]);
});
