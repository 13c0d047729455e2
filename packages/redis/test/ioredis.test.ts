import { testContract } from "./contract.js";

testContract("ioredis");
