// The grammar of events (docs/events.md), as a regular expression over their types.

import assert from "node:assert/strict";

const BODY = "(?:(?:text|binary|ping|pong|poll|suspect|suspended) )*";
const END = "(?:closing (?:closed )?|closed |unresponsive |protocolError )?";
const ATTEMPT = `connecting (?:connectFail |connected (?:rejected |protocolError |ready (?:poll )?${BODY}${END})?)disconnected `;
const ONE = new RegExp(`^${ATTEMPT}$`);
const MANY = new RegExp(`^(?:${ATTEMPT}backOff )*${ATTEMPT}(?:backOff )?$`);

/** The events of one finished attempt. `closing` without `closed`: the answer to the Close was never sent. */
export function assertOneAttempt(types: readonly string[]): void {
  assert.match(types.map((type) => `${type} `).join(""), ONE);
}

/** The events of attempts with delays in between; the last attempt has ended. */
export function assertAttempts(types: readonly string[]): void {
  assert.match(types.map((type) => `${type} `).join(""), MANY);
}
