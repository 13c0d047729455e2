// The query with which the page of the inspector and the terminal begin.

import type { Query } from "../../build/server/inspect/wire.js";

/** The rows that a viewer sees first: those in trouble on top. */
export const FIRST_QUERY: Query = {
  view: "connections",
  sort: "trouble",
  descending: true,
  only: "all",
  filter: "",
  offset: 0,
  limit: 100,
};
