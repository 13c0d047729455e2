import { memoryStore } from "../../build/session/store/memory-store.js";
import { testStore } from "./store-contract.js";

testStore("memory", (use) => {
  const store = memoryStore();
  return use(store, store);
});
