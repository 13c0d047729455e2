// The keys of `holdfast inspect`.

import type { ReadStream } from "node:tty";

export type Keys = "endings" | "next" | "previous" | "quit" | "reverse" | "sort" | "trouble";

const KEYS: Readonly<Partial<Record<string, Keys>>> = {
  q: "quit",
  "\u0003": "quit", // Ctrl-C, which a terminal in raw mode passes on.
  "\u0004": "quit",
  s: "sort",
  r: "reverse",
  e: "endings",
  t: "trouble",
  n: "next",
  p: "previous",
  "\u001b[6~": "next", // Page Down
  "\u001b[5~": "previous",
  "\u001b[B": "next", // Down
  "\u001b[A": "previous",
};

/** The keys in a chunk of input: it has several where a key is held, or the process was busy. */
export function keysIn(text: string): readonly Keys[] {
  // eslint-disable-next-line no-control-regex -- An escape sequence begins with a control character.
  const parts = text.match(/\u001b\[[\d;]*[A-Za-z~]|./gsu) ?? [];
  return parts.map((part) => KEYS[part]).filter((key) => key !== undefined);
}

export function openKeys(input: ReadStream): { listen(onKey: (key: Keys) => void): void; close(): void } {
  input.setRawMode(true);
  input.setEncoding("utf8");
  return {
    listen: (onKey) => {
      input.on("data", (text: Buffer | string) => {
        for (const key of keysIn(String(text))) onKey(key);
      });
    },
    close: () => {
      input.setRawMode(false);
      input.removeAllListeners("data");
      input.pause();
    },
  };
}
