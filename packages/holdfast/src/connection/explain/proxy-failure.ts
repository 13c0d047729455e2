// Explains why a connection through a proxy failed: because of the proxy, or of the server behind it.

import type { ProxyError } from "../../shared/errors.js";
import type { Finding } from "./explanation.js";
import { codesOf } from "./system-failure.js";
import { explainTls } from "./tls-failure.js";

export function explainProxy(error: ProxyError | null): Finding {
  if (error === null) return { advice: CHECK };
  if (error.needsCredentials) {
    return { likely: "It demands a user and a password, or rejects those it got." };
  }
  if (error.status !== null) return explainAnswer(error.status);
  if (error.message.includes("The TLS handshake failed")) return ofProxy(explainTls(error));
  if (codesOf(error).some((code) => code === "ECONNREFUSED" || code === "ENOTFOUND")) {
    return { likely: "It is down, or its address is wrong.", advice: CHECK };
  }
  return error.message.includes("opened no tunnel")
    ? { likely: NO_TUNNEL, advice: CHECK }
    : { advice: CHECK };
}

/** Names the proxy, its URL and its options in place of the server's. */
function ofProxy({ likely, advice }: Finding): Finding {
  const rename = (text?: string) =>
    text
      ?.replaceAll("`tls.", "`proxy.tls.")
      .replaceAll(/\b([Tt]he) server\b/g, "$1 proxy")
      .replaceAll("the URL", "the URL of the proxy")
      .replaceAll("the scheme should be `ws:`", "the scheme of the proxy's URL should be `http:`");
  return { likely: rename(likely), advice: rename(advice) };
}

const CHECK =
  "Check the option `proxy`, or the variables `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`.";
const NO_TUNNEL =
  "It does not allow this server and port, cannot reach the server, or is not a SOCKS proxy of that version.";

function explainAnswer(status: number): Finding {
  if (status === 502 || status === 503 || status === 504) {
    return {
      likely: "The proxy works, but could not reach the server.",
      advice:
        "Check whether the server is up, and whether the proxy's network leads to it; `body` may say more.",
    };
  }
  return {
    likely: "It allows no tunnels to this server and port, or it is not a proxy.",
    advice: `${CHECK} \`status\` and \`body\` of the error are its answer.`,
  };
}
