// The files of the page: its own, and the modules of the library and of partysocket as they ship.

import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The beginning of a path, and the folder that contains the rest of it; the first match applies. */
const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
  ["/holdfast/", folderOf(new URL(".", import.meta.resolve("holdfast")))],
  ["/partysocket/", folderOf(new URL(".", import.meta.resolve("partysocket/ws")))],
  ["/page/", folderOf(new URL("./page/", import.meta.url))],
  ["/", folderOf(new URL("../page/", import.meta.url))],
];

/** The served types of files; the server serves no others. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".map": "application/json",
};

export interface File {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Null if there is no such file. */
export async function fileOf(path: string): Promise<File | null> {
  const place = placeOf(path === "/" ? "/index.html" : path);
  const type = place === null ? undefined : TYPES[extname(place)];
  if (place === null || type === undefined) return null;
  try {
    return { type, bytes: await readFile(place) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null; // Errors of readFile have a code.
    throw error;
  }
}

function placeOf(path: string): string | null {
  for (const [prefix, folder] of FOLDERS) {
    if (!path.startsWith(prefix)) continue;
    const place = normalize(join(folder, path.slice(prefix.length)));
    return place.startsWith(folder + sep) && !place.includes("\0") ? place : null;
  }
  return null;
}

function folderOf(url: URL): string {
  return fileURLToPath(url).replace(/[\\/]$/, "");
}
