import type { ConsumerFacts, Facts, GroupFacts } from "./facts.ts";

export const NOW = new Date("2026-11-28T06:10:00Z");

export const aConsumer = (parts: Partial<ConsumerFacts> = {}): ConsumerFacts => ({
  name: "consumer-1",
  silentMs: 900,
  breaker: { state: "closed", since: "2026-11-28T05:00:00Z" },
  system: "mail server smtp.example:587",
  pending: 0,
  inFlight: 0,
  waitingParties: 0,
  faults: {},
  ...parts,
});

export const aGroup = (parts: Partial<GroupFacts> = {}): GroupFacts => ({
  group: "welcome-email",
  pausedBy: null,
  pausedAt: null,
  ordered: undefined,
  exists: true,
  unfinished: { count: 0, isBound: false },
  delayed: { count: 0, isBound: false },
  retrying: [],
  oldestMs: 0,
  held: [],
  dead: 0,
  latestDead: undefined,
  strayEntries: 0,
  consumers: [aConsumer()],
  lastHour: { total: 0, medianMs: undefined },
  ...parts,
});

export const facts = (group: Partial<GroupFacts> = {}, parts: Partial<Facts> = {}): Facts => ({
  now: NOW,
  postgres: undefined,
  redis: undefined,
  outbox: { rows: 0, oldestMs: 0 },
  clockDifferenceMs: 3,
  groups: [aGroup(group)],
  ...parts,
});

export const open = (parts: Partial<ConsumerFacts["breaker"]> = {}): ConsumerFacts["breaker"] => ({
  state: "open",
  since: "2026-11-28T06:05:10Z",
  reason: "connection_refused",
  probeInMs: 1_400,
  ...parts,
});

export const waits = (count: number) => ({ count, isBound: false });
