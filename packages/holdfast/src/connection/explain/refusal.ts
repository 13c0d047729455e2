// The server answered the upgrade with an HTTP status other than 101, or with a redirect: what that makes likely.

import type { InvalidStatusError, RedirectError } from "../../shared/errors.js";
import { joined, type Finding } from "./explanation.js";
import { duration } from "./measures.js";

export function explainStatus(error: InvalidStatusError | null): Finding {
  if (error === null) return NO_STATUS;
  const { status, retryAfter } = error;
  const finding = findingOfPage(error) ?? STATUSES[status] ?? classOf(status);
  if (retryAfter === null) return finding;
  return { ...finding, advice: joined(`It asks to wait for ${duration(retryAfter)}.`, finding.advice) };
}

export function explainRedirect({ hops }: RedirectError): Finding {
  const isCircle = new Set(hops).size < hops.length;
  return isCircle
    ? {
        likely: "The server redirects in a circle, often because it waits for a login or a cookie.",
        advice: "Send the credentials in `headers`, or correct the redirect.",
      }
    : { advice: "Connect to the right URL directly, or correct the redirect at the server." };
}

/** nginx and Apache answer 400 to any mistake in TLS, and name it in the page. */
function findingOfPage({ status, body }: InvalidStatusError): Finding | undefined {
  if (status !== 400) return undefined;
  const page = new TextDecoder("latin1").decode(body.subarray(0, 2048));
  if (/plain HTTP request|HTTPS port|speaking plain HTTP/i.test(page)) return EXPECTS_TLS;
  if (/required SSL certificate/i.test(page)) return DEMANDS_CERTIFICATE;
  return /SSL certificate error/i.test(page) ? REJECTS_CERTIFICATE : undefined;
}

const SEE = "See `body` of the error.";

const EXPECTS_TLS: Finding = { likely: "The server expects TLS on that port.", advice: "Use `wss:`." };

const DEMANDS_CERTIFICATE: Finding = {
  likely: "The server demands a client certificate.",
  advice: "Set `tls.cert` and `tls.key`.",
};

const REJECTS_CERTIFICATE: Finding = {
  likely: "The server rejected the client certificate.",
  advice: "Check `tls.cert` and `tls.key`.",
};

const NO_STATUS: Finding = {
  likely: "The path or the credentials are wrong, or the server limits connections.",
  advice: "See `status`, `headers` and `body` of the error.",
};

const NOT_PASSED_ON: Finding = {
  likely:
    "The server does not accept this request as a WebSocket, or a proxy in front of it does not pass `Upgrade` on.",
  advice: `${SEE} For nginx and others, see docs/deployment.md.`,
};

const TOO_MUCH: Finding = {
  likely: "The server limits connections or requests, is overloaded, or is shutting down.",
  advice: "Try again later, with growing delays.",
};

const NOT_REACHED: Finding = {
  likely: "A proxy in front of the server cannot reach it: it is down or restarting.",
  advice: "Try again later; look at the log of the proxy.",
};

const TOO_LARGE: Finding = {
  likely: "The URL or the headers of the request, such as cookies, are larger than the server accepts.",
  advice: "Make them smaller, or raise its limit.",
};

const WRONG_PATH: Finding = {
  likely: "No WebSocket server answers at this path.",
  advice: "Check the path, and the host.",
};

const STATUSES: Readonly<Partial<Record<number, Finding>>> = {
  400: NOT_PASSED_ON,
  401: {
    likely: "The server wants credentials, or rejects those it got.",
    advice: "Send them in `headers`, or in the URL (`wss://user:password@host`).",
  },
  403: {
    likely: "The credentials do not suffice, or the server does not accept the Origin.",
    advice: `${SEE} On a Holdfast server, the option is \`origins\`.`,
  },
  404: WRONG_PATH,
  405: WRONG_PATH,
  407: {
    likely: "A proxy on the way, of which this client does not know, wants credentials.",
    advice: "Set the option `proxy`.",
  },
  408: {
    likely: "The request reached the server too slowly, or the server is overloaded.",
    advice: "Try again later.",
  },
  410: WRONG_PATH,
  414: TOO_LARGE,
  421: {
    likely: "The server does not serve this host name.",
    advice: "Check the host. On a Holdfast server, the option is `hosts`.",
  },
  425: TOO_MUCH,
  426: NOT_PASSED_ON,
  429: TOO_MUCH,
  431: TOO_LARGE,
  // The numbers that nginx uses in its log and for error pages.
  495: REJECTS_CERTIFICATE,
  496: DEMANDS_CERTIFICATE,
  497: EXPECTS_TLS,
  502: NOT_REACHED,
  503: TOO_MUCH,
  504: NOT_REACHED,
  511: {
    likely: "A network with a login page (a captive portal) answered in place of the server.",
    advice: "Sign in to the network with a browser.",
  },
};

function classOf(status: number): Finding {
  if (status < 300) {
    return {
      likely: "An ordinary web page answered: the path is wrong, or a network with a login page did.",
      advice: `Check the path. ${SEE}`,
    };
  }
  if (status < 400) {
    return {
      likely: "The server redirects, in a way that this client does not follow.",
      advice: "See `headers` (Location) of the error, and the option `maxRedirects`.",
    };
  }
  if (status >= 520 && status <= 527) return NOT_REACHED;
  if (status >= 500)
    return { likely: "The server failed.", advice: `See its log, and try again later. ${SEE}` };
  return { likely: "The server does not accept this request.", advice: SEE };
}
