// Types that the page and its server share.

/** The faults of the link: none, everything late, nothing gets through, or an end by RST. */
export const FAULTS = ["heal", "slow", "freeze", "cut"] as const;

export type Fault = (typeof FAULTS)[number];

export interface StageDescription {
  /** Names the page's own network in `POST /fault`. */
  readonly id: string;
  /** The URL of the counted stream, through that network. */
  readonly url: string;
}
