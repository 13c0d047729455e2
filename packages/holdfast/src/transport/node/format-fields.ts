// Formats the details of a log line as ` name=value` pairs, for people and for grep.

import type { Address } from "../../connection/ports.js";
import { escapeControls } from "../../shared/control-characters.js";

/** Begins with a space, or is empty. Null and empty lists are omitted. */
export function formatFields(details: object): string {
  return Object.entries(details as Readonly<Record<string, unknown>>)
    .filter(([, value]) => value !== null && value !== undefined && !isEmptyList(value))
    .map(([name, value]) => ` ${name}=${escapeControls(format(value))}`)
    .join("");
}

function format(value: unknown): string {
  if (typeof value === "number") return String(Math.round(value * 10) / 10);
  if (value instanceof Error) return format(value.message);
  if (isAddress(value)) return `${value.address}:${value.port}`;
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isAddress(value: unknown): value is Address {
  return typeof value === "object" && value !== null && "address" in value && "port" in value;
}
