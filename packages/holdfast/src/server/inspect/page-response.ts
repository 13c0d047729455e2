// The response with the page. The page is loaded with the first request, so that `import "holdfast"` stays small.

import { nodeModule } from "../../protocol/node-module.js";

interface LoadedPage {
  readonly html: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

let loading: Promise<LoadedPage> | null = null;

export async function pageResponse(method: string): Promise<Response> {
  loading ??= load();
  const { html, headers } = await loading;
  return new Response(method === "HEAD" ? null : html, { headers });
}

async function load(): Promise<LoadedPage> {
  const { page } = await import("./inspect-page.mjs");
  return {
    html: new Uint8Array(Buffer.from(page)),
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policyFor(page),
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
    },
  };
}

/** Only the page's own script and style run, whatever ends up in its text; and it reaches only its own server. */
function policyFor(page: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(page, "script")}`,
    `style-src ${hashOf(page, "style")}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function hashOf(page: string, element: "script" | "style"): string {
  const start = page.indexOf(`<${element}>`) + element.length + 2;
  const content = page.slice(start, page.indexOf(`</${element}>`, start));
  return `'sha256-${nodeModule("node:crypto").createHash("sha256").update(content).digest("base64")}'`;
}
