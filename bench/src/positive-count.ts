/** Reads the value of an option of a program. @throws Error that names the option, the expected value and the actual one. */
export function positiveCount(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`Expected \`--${option}\` to be a positive whole number, got "${text}"`);
}
