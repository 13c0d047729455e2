import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { RawServer } from "../../../packages/holdfast/build/testing/raw/server.js";
import type { RawServerPeer } from "../../../packages/holdfast/build/testing/raw/server-peer.js";

export interface SocksServerOptions {
  /** Requires this user and password (RFC 1929); SOCKS version 5 only. */
  readonly userInfo?: { readonly username: string; readonly password: string };
  /** Refuses every connection with this reply (RFC 1928 section 6), such as 5: connection refused. */
  readonly reply?: number;
  /** Bytes sent right after its last reply, as if the destination had sent them at once. */
  readonly glue?: string;
}

/** A client's request. */
export interface SocksRequest {
  readonly version: 4 | 5;
  readonly host: string;
  readonly port: number;
  /** The user of version 4. */
  readonly user: string;
}

/** A SOCKS proxy: version 5 (RFC 1928), 4 and 4a. Closing it ends its tunnels. */
export class SocksServer implements AsyncDisposable {
  readonly requests: SocksRequest[] = [];
  readonly #options: SocksServerOptions;
  readonly #targets = new Set<Socket>();
  #server: RawServer | null = null;

  static async start(options: SocksServerOptions = {}): Promise<SocksServer> {
    const socks = new SocksServer(options);
    socks.#server = await RawServer.start({}, (peer) => socks.#serve(peer));
    return socks;
  }

  private constructor(options: SocksServerOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  url(scheme = "socks5h", userInfo = ""): string {
    return `${scheme}://${userInfo === "" ? "" : `${userInfo}@`}127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const target of this.#targets) target.destroy();
    await this.#server?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(peer: RawServerPeer): Promise<void> {
    const [version] = await peer.read(1);
    const request = version === 5 ? await this.#negotiate(peer) : await readVersion4(peer);
    if (request === null) return;
    this.requests.push(request);
    const { reply = 0, glue = "" } = this.#options;
    const target = reply === 0 ? await this.#connect(request) : null;
    const code = target === null ? (reply === 0 ? 5 : reply) : 0;
    const tail = [0, 0, 0, 0, 0, 0];
    const answer = request.version === 5 ? [5, code, 0, 1, ...tail] : [0, code === 0 ? 0x5a : 0x5b, ...tail];
    peer.write(Buffer.concat([Buffer.from(answer), Buffer.from(code === 0 ? glue : "", "latin1")]));
    if (target === null) peer.end();
    else peer.tunnelTo(target);
  }

  /** RFC 1928 sections 3 and 4, RFC 1929. */
  async #negotiate(peer: RawServerPeer): Promise<SocksRequest | null> {
    const [count = 0] = await peer.read(1);
    const methods = await peer.read(count);
    const { userInfo } = this.#options;
    const method = userInfo === undefined ? 0 : 2;
    if (!methods.includes(method)) {
      peer.write(Buffer.from([5, 0xff]));
      peer.end();
      return null;
    }
    peer.write(Buffer.from([5, method]));
    if (userInfo !== undefined && !(await this.#authenticate(peer, userInfo))) return null;
    const [, , , type] = await peer.read(4);
    const host = await readHost(peer, type ?? 0);
    return { version: 5, host, port: Buffer.from(await peer.read(2)).readUInt16BE(), user: "" };
  }

  async #authenticate(
    peer: RawServerPeer,
    userInfo: { username: string; password: string },
  ): Promise<boolean> {
    await peer.read(1);
    const username = await readCounted(peer);
    const isRight = (await readCounted(peer)) === userInfo.password && username === userInfo.username;
    peer.write(Buffer.from([1, isRight ? 0 : 1]));
    if (!isRight) peer.end();
    return isRight;
  }

  async #connect({ host, port }: SocksRequest): Promise<Socket | null> {
    const target = connect({ host, port, noDelay: true });
    this.#targets.add(target);
    target.on("error", () => undefined);
    try {
      await once(target, "connect");
      return target;
    } catch {
      return null;
    }
  }
}

async function readVersion4(peer: RawServerPeer): Promise<SocksRequest> {
  const head = Buffer.from(await peer.read(7));
  const user = (await peer.readUntil("\0")).slice(0, -1);
  // Version 4a sends an invalid address, and the host name after the user.
  const isName = head[3] === 0 && head[4] === 0 && head[5] === 0;
  const host = isName ? (await peer.readUntil("\0")).slice(0, -1) : head.subarray(3).join(".");
  return { version: 4, host, port: head.readUInt16BE(1), user };
}

async function readHost(peer: RawServerPeer, type: number): Promise<string> {
  if (type === 1) return (await peer.read(4)).join(".");
  if (type === 3) return readCounted(peer);
  const bytes = Buffer.from(await peer.read(16)).toString("hex");
  return bytes.replace(/(.{4})(?!$)/g, "$1:");
}

async function readCounted(peer: RawServerPeer): Promise<string> {
  const [length = 0] = await peer.read(1);
  return Buffer.from(await peer.read(length)).toString("utf8");
}
