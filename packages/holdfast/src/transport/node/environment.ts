// Variables of the environment, also where a program may not read them.

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Deno's `permissions`; undefined elsewhere. */
interface DenoGlobal {
  readonly Deno?: {
    readonly permissions?: {
      querySync(descriptor: { name: "env"; variable: string }): { readonly state: string };
    };
  };
}

/**
 * A variable; undefined if it is not set. Without `--allow-env`, Deno would ask the user in a terminal, and throw
 * elsewhere: a variable that may not be read counts as not set.
 */
export function readVariable(name: string, environment: Environment): string | undefined {
  const { Deno } = globalThis as DenoGlobal;
  const state = Deno?.permissions?.querySync({ name: "env", variable: name }).state ?? "granted";
  return state === "granted" ? environment[name] : undefined;
}
