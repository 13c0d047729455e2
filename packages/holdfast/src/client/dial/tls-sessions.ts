// The TLS sessions that a client resumes when it reconnects (RFC 8446 section 2.2; RFC 5077 for TLS 1.2): the server
// sends no certificate and signs nothing.
//
// On a resumed connection neither Node nor OpenSSL checks the certificate again. So a session is kept only if its
// certificate passed all checks, it is used only with the same options, and before each use the certificate is checked
// once more for its dates and its name. In all other cases a full handshake decides.

import type { PeerCertificate, TLSSocket } from "node:tls";

/** Redirects and a proxy need one each; a URL that changes with each attempt must not fill the memory. */
const MAX_SESSIONS = 16;

interface KeptSession {
  readonly session: Buffer;
  /** The certificate that the server showed in the full handshake, with its issuers. */
  readonly certificate: PeerCertificate;
}

/** Whether a certificate is valid for the server. */
export type CertificateCheck = (certificate: PeerCertificate) => boolean;

export class TlsSessions {
  readonly #wallNow: () => number;
  /** The newest session by destination and options, least recently used first. */
  readonly #sessions = new Map<string, KeptSession>();

  constructor(wallNow: () => number) {
    this.#wallNow = wallNow;
  }

  /** Returns the session to resume; null if a full handshake is needed. */
  find(key: string, isValid: CertificateCheck): KeptSession | null {
    const kept = this.#sessions.get(key);
    if (kept === undefined) return null;
    if (isCurrent(kept.certificate, this.#wallNow()) && isValid(kept.certificate)) return kept;
    this.#sessions.delete(key);
    return null;
  }

  /**
   * Keeps the sessions that the server grants on this socket, and forgets the one that was offered if the handshake
   * fails.
   */
  follow(socket: TLSSocket, key: string, offered: KeptSession | null): void {
    let newest: Buffer | null = null;
    let certificate: PeerCertificate | null = null;
    const keep = (): void => {
      if (newest !== null && certificate !== null) this.#keep(key, { session: newest, certificate });
    };
    // TLS 1.2 grants a session before the certificate counts as checked, TLS 1.3 with the first data.
    socket.on("session", (session) => {
      newest = session;
      keep();
    });
    // Before the TCP connection is open, the session is not the reason: a server that restarts refuses connections.
    let isOpen = !socket.connecting;
    const onOpen = (): void => {
      isOpen = true;
    };
    const onClose = (): void => {
      if (isOpen) this.#sessions.delete(key);
    };
    socket.once("connect", onOpen).once("close", onClose);
    socket.once("secureConnect", () => {
      socket.off("close", onClose);
      if (!socket.authorized) return;
      certificate = socket.isSessionReused()
        ? (offered?.certificate ?? null)
        : socket.getPeerCertificate(true);
      keep();
    });
  }

  #keep(key: string, kept: KeptSession): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, kept);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MAX_SESSIONS) return;
      this.#sessions.delete(oldest);
    }
  }
}

/** Whether the certificate and its issuers are within their dates. */
function isCurrent(leaf: PeerCertificate, wallNow: number): boolean {
  const seen = new Set<object>();
  for (
    let each: PeerCertificate | undefined = leaf;
    each !== undefined && !seen.has(each);
    each = issuerOf(each)
  ) {
    seen.add(each); // The root is its own issuer.
    if (!(Date.parse(each.valid_from) <= wallNow && wallNow <= Date.parse(each.valid_to))) return false;
  }
  return true;
}

function issuerOf(certificate: PeerCertificate): PeerCertificate | undefined {
  return "issuerCertificate" in certificate
    ? (certificate.issuerCertificate as PeerCertificate | undefined)
    : undefined;
}
