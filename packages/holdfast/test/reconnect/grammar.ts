// The grammar of events (docs/events.md), as a regular expression over their types. Where polls are off, none comes.

import assert from "node:assert/strict";

const BODY = "(?:(?:text|binary|ping|pong|poll|suspended) )*";
const END = "(?:closing (?:closed )?|closed |unresponsive |protocolError )?";
const ATTEMPT = `connecting (?:connectFail |connected (?:rejected |protocolError |ready (?:poll )?${BODY}${END})?)disconnected `;
const ONE = new RegExp(`^${ATTEMPT}$`);
const MANY = new RegExp(`^(?:${ATTEMPT}backOff )*${ATTEMPT}(?:backOff )?$`);

/** The events of one attempt that is over. `closing` without `closed`: the answer never got out. */
export function assertOneAttempt(types: readonly string[]): void {
  assert.match(types.map((type) => `${type} `).join(""), ONE);
}

/** The events of attempts with waits in between; the last attempt is over. */
export function assertAttempts(types: readonly string[]): void {
  assert.match(types.map((type) => `${type} `).join(""), MANY);
}
