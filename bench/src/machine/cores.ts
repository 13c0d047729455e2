import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Cores {
  readonly server: number | null;
  readonly generator: number | null;
}

/**
 * Chooses one core for the server and another for the load generator, if `taskset` exists and there are two.
 */
export function chooseCores(): Cores {
  const allowed = allowedCores();
  const server = allowed[0];
  if (server === undefined || allowed.length < 2) return { server: null, generator: null };
  // Two threads of one physical core would slow each other down, so prefer a different physical core for the
  // generator.
  const siblings = siblingsOf(server);
  const generator = allowed.find((core) => !siblings.includes(core)) ?? allowed[1] ?? null;
  return { server, generator };
}

function allowedCores(): number[] {
  const printed = spawnSync("taskset", ["-cp", String(process.pid)], { encoding: "utf8" });
  if (printed.status !== 0) return [];
  return parseCoreList(printed.stdout.slice(printed.stdout.lastIndexOf(":") + 1));
}

function siblingsOf(core: number): number[] {
  try {
    const file = `/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`;
    return parseCoreList(readFileSync(file, "utf8"));
  } catch {
    return [core];
  }
}

// "0-2,5" is 0, 1, 2 and 5.
function parseCoreList(list: string): number[] {
  return list
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first = NaN, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}
