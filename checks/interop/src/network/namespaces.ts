// Two hosts and a router between them, as network namespaces of this machine (Linux). The router can silently
// drop everything, like a dead link, a firewall or a lost mobile network.

import { spawnSync } from "node:child_process";
import { findExecutable } from "../peers/executables.js";

const PREFIX = "holdfast";

let networks = 0;

const ip = findExecutable(["ip"], { installedBy: "scripts/install-peers.sh network" });

/** Root, or a user with passwordless sudo. */
const asRoot = process.getuid?.() === 0 ? [] : ["sudo", "-n"];

/** The reason to skip tests that need namespaces; false if they can be created. */
export function namespacesMissing(): string | false {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (ip.skip !== false) return ip.skip;
  const name = `${PREFIX}-${process.pid}-try`;
  try {
    run("netns", "add", name);
    run("netns", "delete", name);
    return false;
  } catch (error) {
    return `network namespaces are not allowed here: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export interface Host {
  readonly address: string;
  /** The command prefix that runs a program on this host. */
  readonly prefix: readonly string[];
}

export class Network implements Disposable {
  readonly hosts: readonly [Host, Host];
  readonly #names: readonly [near: string, router: string, far: string];

  /** Creates the namespaces synchronously, so that they are always removed again. */
  constructor() {
    removeLeftovers();
    const own = `${PREFIX}-${process.pid}-${++networks}`;
    this.#names = [`${own}-near`, `${own}-router`, `${own}-far`];
    try {
      this.hosts = this.#build();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** From now on the router drops all packets in both directions. */
  drop(): void {
    this.#forward("0");
  }

  /** Restores the link. */
  restore(): void {
    this.#forward("1");
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) remove(name);
  }

  #build(): readonly [Host, Host] {
    const [near, router, far] = this.#names;
    for (const name of this.#names) run("netns", "add", name);
    const hosts = [
      { name: near, network: "10.77.1" },
      { name: far, network: "10.77.2" },
    ].map(({ name, network }, index) => {
      // Create the interface in its namespace: names are unique per namespace.
      run(
        "-n",
        name,
        "link",
        "add",
        "link0",
        "type",
        "veth",
        "peer",
        "name",
        `port${index}`,
        "netns",
        router,
      );
      run("-n", name, "address", "add", `${network}.2/24`, "dev", "link0");
      run("-n", router, "address", "add", `${network}.1/24`, "dev", `port${index}`);
      run("-n", name, "link", "set", "link0", "up");
      run("-n", router, "link", "set", `port${index}`, "up");
      run("-n", name, "route", "add", "default", "via", `${network}.1`);
      return { address: `${network}.2`, prefix: [...asRoot, ip.path, "netns", "exec", name] } as const;
    });
    this.restore();
    const [first, second] = hosts;
    if (first === undefined || second === undefined) throw new Error("Expected two hosts");
    return [first, second];
  }

  #forward(value: "0" | "1"): void {
    const [, router] = this.#names;
    run("netns", "exec", router, "sh", "-c", `echo ${value} > /proc/sys/net/ipv4/ip_forward`);
  }
}

/** Runs `ip` with these arguments. */
function run(...args: readonly string[]): string {
  const [program = ip.path, ...rest]: readonly string[] = [...asRoot, ip.path, ...args];
  const { status, stdout, stderr, error } = spawnSync(program, rest, { encoding: "utf8", timeout: 60_000 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}`);
  return stdout;
}

/** Removes namespaces of test processes that were killed. */
function removeLeftovers(): void {
  for (const line of run("netns", "list").split("\n")) {
    const [name = ""] = line.split(" ");
    const [, pid] = /^holdfast-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) remove(name);
  }
}

function remove(name: string): void {
  try {
    run("netns", "delete", name);
  } catch {
    // It was never created, or has been removed.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // process.kill throws no other errors.
  }
}
