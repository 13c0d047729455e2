// The URLs that a client accepts.

/** @throws SyntaxError */
export function parseUrl(address: string | URL, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(address, base);
  } catch {
    throw new SyntaxError(`Invalid URL: ${String(address)}`);
  }
  if (url.protocol === "http:") url.protocol = "ws:";
  else if (url.protocol === "https:") url.protocol = "wss:";
  return url;
}

/** @throws SyntaxError */
export function checkUrl(url: URL): void {
  if (!["ws:", "wss:", "ws+unix:"].includes(url.protocol)) {
    throw new SyntaxError(
      `The URL's protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"`,
    );
  }
  if (url.protocol === "ws+unix:" && url.pathname === "")
    throw new SyntaxError("The URL's pathname is empty");
  if (url.hash !== "") throw new SyntaxError("The URL contains a fragment identifier");
}
