import { testContract } from "./contract.js";

testContract("redis");
