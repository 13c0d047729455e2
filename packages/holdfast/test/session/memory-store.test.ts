import { memoryStore } from "holdfast";
import { testStore } from "./store-contract.js";

testStore("memory", (use) => {
  const store = memoryStore();
  return use(store, store);
});
