// Sets the proxy variables of the environment for a test.

/** Runs `body` with these proxy variables and no others. */
export async function withEnvironment(
  variables: Readonly<Record<string, string>>,
  body: () => Promise<void>,
): Promise<void> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) unset(name);
  Object.assign(process.env, variables);
  try {
    await body();
  } finally {
    for (const name of Object.keys(variables)) unset(name);
    Object.assign(process.env, before);
  }
}

function unset(name: string): void {
  // Assigning undefined would store the string "undefined".
  Reflect.deleteProperty(process.env, name);
}
