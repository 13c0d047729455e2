// What the page and its server agree on.

/** What can be done to the link: none of it, everything late, nothing gets through, or an end by RST. */
export const FAULTS = ["heal", "slow", "freeze", "cut"] as const;

export type Fault = (typeof FAULTS)[number];

export interface StageDescription {
  /** Names the page's own network in `POST /fault`. */
  readonly id: string;
  /** The ticker, through that network. */
  readonly url: string;
}
