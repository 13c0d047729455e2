// Errors of the operating system and of name lookup: what they say about the cause.

import type { Finding } from "./explanation.js";
import { NO_ROUTE } from "../../shared/no-route.js";

/** The system's errors behind an error: several if the host has several addresses. */
function causesOf(error: Error | null): readonly SystemError[] {
  const cause: unknown = error?.cause;
  const causes: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.filter((each) => each instanceof Error);
}

interface SystemError extends Error {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly address?: unknown;
}

/** The codes of these errors, such as ENOTFOUND. */
export function codesOf(error: Error | null): readonly string[] {
  return causesOf(error)
    .map(({ code }) => code)
    .filter((code) => typeof code === "string");
}

export function explainDns(error: Error | null): Finding {
  const codes = codesOf(error);
  if (codes.some((code) => NO_NAME_SERVER.has(code))) {
    return {
      likely: "No name server gave an answer, so the name may well be right.",
      advice: "Check the network and the resolver of this machine or container, and try again.",
    };
  }
  return {
    likely: codes.includes("ENOTFOUND")
      ? "The name is misspelt, or only other name servers know it, such as those of a VPN or of a container's network."
      : "The name is misspelt, or the name server cannot be reached.",
    advice: "Check the URL and the network.",
  };
}

const NO_NAME_SERVER: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "EAI_FAIL",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EREFUSED",
  "ESERVFAIL",
  "ETIMEDOUT",
  "ETIMEOUT",
]);

export function explainRefused(error: Error | null): Finding {
  const isUnix = causesOf(error).some(
    ({ address }) => typeof address === "string" && /^[/\0\\]/.test(address),
  );
  if (isUnix) {
    return {
      likely: codesOf(error).includes("ECONNREFUSED")
        ? "The server of that socket has ended and left its file behind, or the file is not a socket."
        : "The server has not created that socket yet, or the path is wrong.",
      advice: "Start the server; check the path.",
    };
  }
  return {
    likely: "The server is down or restarting, or the port is wrong.",
    advice: "Try again later; check the port.",
  };
}

export function explainUnreachable(error: Error | null): Finding {
  const codes = codesOf(error);
  const known = codes.map((code) => LOCAL_LIMITS[code]).find((finding) => finding !== undefined);
  if (known !== undefined) return known;
  if (codes.includes("EADDRNOTAVAIL")) return explainNoAddress(error);
  if (causesOf(error).length === 0 || codes.some((code) => NO_ROUTE.has(code))) {
    return {
      likely: "Its host, a router or this machine's own link is down.",
      advice: "Check the network, and try again with growing delays.",
    };
  }
  return { likely: "The error comes from this machine: from its system, `createConnection` or `stream`." };
}

function explainNoAddress(error: Error | null): Finding {
  if (causesOf(error).some(({ syscall }) => syscall === "bind")) {
    return {
      likely: "`localAddress` is not an address of this machine.",
      advice: "Choose one that it has, or leave the option out.",
    };
  }
  return {
    likely:
      "This machine has no free local port left for that address, or cannot use the address as a destination.",
    advice: "Check how many connections are open to it; try again later.",
  };
}

const TOO_MANY_FILES: Finding = {
  likely: "This process, or the machine, has as many files and sockets open as it may.",
  advice: "Close what is no longer needed, or raise the limit (`ulimit -n`).",
};

const NOT_ALLOWED: Finding = {
  likely:
    "The system of this machine does not allow it: the permissions of the socket's file, its firewall, or a sandbox.",
  advice: "Check these; retrying does not help.",
};

const UNUSABLE: Finding = {
  likely:
    "This machine cannot use that address: it and `localAddress` are of different families, it is a link-local IPv6 address, which a URL cannot express with its zone, or the routing table discards what is sent to it.",
  advice: "Check `localAddress`, the URL and the routes; retrying does not help.",
};

const LOCAL_LIMITS: Readonly<Partial<Record<string, Finding>>> = {
  EACCES: NOT_ALLOWED,
  EAFNOSUPPORT: UNUSABLE,
  EINVAL: UNUSABLE,
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
  EPERM: NOT_ALLOWED,
};
