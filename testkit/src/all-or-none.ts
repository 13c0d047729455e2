/** Resolves with everything that starts. If anything fails to, closes the others, which nobody else knows yet. */
export async function allOrNone<Started extends { close(): unknown }>(
  starting: readonly Promise<Started>[],
): Promise<readonly Started[]> {
  try {
    return await Promise.all(starting);
  } catch (error) {
    for (const each of await Promise.allSettled(starting))
      if (each.status === "fulfilled") await each.value.close();
    throw error;
  }
}
