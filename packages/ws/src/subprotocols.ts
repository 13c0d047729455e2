// Subprotocols (RFC 6455 section 1.9), with the checks of `ws`.

const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`|a-z~]+$/;

/** The second and third arguments of `new WebSocket()`: the protocols may be left out, or be part of the options. */
export function readProtocols<Options extends object>(
  protocols: unknown,
  options: Options | undefined,
): { readonly protocols: readonly unknown[]; readonly options: Options | undefined } {
  if (
    protocols !== undefined &&
    (Array.isArray(protocols) || typeof protocols !== "object" || protocols === null)
  )
    return { protocols: Array.isArray(protocols) ? (protocols as unknown[]) : [protocols], options };
  const given = protocols === undefined ? options : (protocols as Options);
  const inOptions = (given as { protocols?: unknown } | null | undefined)?.protocols;
  if (inOptions === undefined) return { protocols: [], options: given };
  return { protocols: Array.isArray(inOptions) ? (inOptions as unknown[]) : [inOptions], options: given };
}

/** @throws SyntaxError */
export function checkProtocols(protocols: readonly unknown[]): ReadonlySet<string> {
  const checked = new Set<string>();
  for (const protocol of protocols) {
    if (typeof protocol !== "string" || !TOKEN.test(protocol) || checked.has(protocol)) {
      throw new SyntaxError("An invalid or duplicated subprotocol was specified");
    }
    checked.add(protocol);
  }
  return checked;
}

/** Reads Sec-WebSocket-Protocol of a request; null if it is malformed. */
export function parseProtocols(header: string): Set<string> | null {
  const protocols = new Set<string>();
  for (const part of header.split(",")) {
    const protocol = part.replace(/^[ \t]+|[ \t]+$/g, "");
    if (!TOKEN.test(protocol) || protocols.has(protocol)) return null;
    protocols.add(protocol);
  }
  return protocols;
}
