import { expect, test } from "bun:test";
import type { RedisFacts } from "../../stream/redis-facts.ts";
import { redisRefuses } from "./situation-facts.ts";

const MB = 1_048_576;
const REDIS: RedisFacts = {
  version: "7.4.0",
  isReplica: false,
  lacksReplicas: false,
  usedMemory: 10 * MB,
  maxMemory: 256 * MB,
  evictionPolicy: "noeviction",
  appendOnly: true,
  lastAppendOk: true,
  lastSnapshotOk: true,
  lastSnapshotAt: 0,
  uptimeSeconds: 60,
};
const FULL = { usedMemory: 256 * MB };

test.each<[string, Partial<RedisFacts>, Parameters<typeof redisRefuses>[1], string | undefined]>([
  ["it takes writes", {}, undefined, undefined],
  ["it is full", FULL, "OOM", "is full (256.0 MiB of 256.0 MiB)"],
  ["it is full, and nobody could ask", FULL, undefined, "is full (256.0 MiB of 256.0 MiB)"],
  ["it is over its limit, and evicts", { ...FULL, evictionPolicy: "allkeys-lru" }, undefined, undefined],
  ["it can evict nothing more", { ...FULL, evictionPolicy: "allkeys-lru" }, "OOM", "is full (256.0 MiB of 256.0 MiB)"],
  [
    "it has one replica of two that it needs",
    {},
    "NOREPLICAS",
    "has too few replicas that keep up, and refuses writes (NOREPLICAS)",
  ],
  ["its snapshots fail", { lastSnapshotOk: false }, "MISCONF", "cannot write to its disk, and refuses writes"],
  ["its snapshots fail, and it goes on all the same", { lastSnapshotOk: false }, undefined, undefined],
  ["it loads its data", {}, "LOADING", "refuses writes (LOADING)"],
])("%s", (_, facts, refusedFor, fault) => {
  expect(redisRefuses({ ...REDIS, ...facts }, refusedFor)).toBe(fault);
});
