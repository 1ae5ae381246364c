import { expect, test } from "bun:test";
import type { Situation } from "../../../ops/actions/situation.ts";
import type { CountedStatus } from "../../../ops/actions/situation-facts.ts";
import type { Finding } from "../../../runtime/situation/finding.ts";
import type { ConsumerReport } from "../../../stream/consumer-report.ts";
import type { ConsumerStatus, GroupStatus } from "../../../stream/group-status.ts";
import { historyOf } from "../../../stream/history.ts";
import { NowParts } from "./now-page.tsx";
import { groupRows, systemRows } from "./overview.ts";

const NOW = new Date("2026-11-28T10:00:00.000Z");

const aConsumer = (report: Partial<ConsumerReport> = {}): ConsumerStatus => ({
  name: "consumer-1",
  pending: 0,
  idleMs: 0,
  silentMs: 100,
  report: {
    startedAt: NOW.toISOString(),
    state: "reading",
    inFlight: 0,
    kept: 0,
    concurrency: 20,
    breaker: { state: "closed", since: NOW.toISOString() },
    system: "mail server smtp.example:587",
    waitingParties: 0,
    faults: {},
    ...report,
  },
});

const aGroup = (group: string, parts: Partial<GroupStatus> = {}): GroupStatus => ({
  group,
  declared: true,
  orphaned: false,
  wasRead: true,
  exists: { events: true, retries: true },
  lag: 0,
  retriesLag: 0,
  counted: { lag: null, retriesLag: null },
  pending: 0,
  waitingRetries: 0,
  dueRetries: 0,
  deadLetters: 0,
  paused: false,
  pausedFor: null,
  oldestUnfinishedMs: 0,
  consumers: [aConsumer()],
  lastHour: historyOf({}, 0),
  ...parts,
});

const REDIS: CountedStatus["redis"] = {
  version: "7.0.15",
  isReplica: false,
  lacksReplicas: false,
  usedMemory: 1,
  maxMemory: 0,
  evictionPolicy: "noeviction",
  appendOnly: true,
  lastAppendOk: true,
  lastSnapshotOk: true,
  lastSnapshotAt: 0,
  uptimeSeconds: 1,
};

const aSituation = (groups: readonly GroupStatus[], ...findings: readonly Finding[]): Situation => ({
  away: [],
  findings: [findings[0] ?? { level: "well", sentence: "All is well" }, ...findings.slice(1)],
  status: {
    groups,
    apis: [],
    writesRefusedFor: undefined,
    ended: [],
    ledger: {
      byGroup: { late: { retrying: 3 } },
      waitsUntil: {},
      counted: 3,
      bounded: false,
      held: [{ group: "held", reason: "quota", count: 4, firstUntil: null }],
      outbox: { rows: 0, bounded: false, oldestAgeMs: 0 },
    },
    redis: REDIS,
    retrying: [],
    pauses: [],
    rates: [],
    suppressed: [],
    jobs: [],
    latestLetters: {},
    retention: { oldestEventAt: null, retentionMs: null, lookedAt: null, removed: null },
    backlogs: { later: { unfinished: 0, soon: 0, oldestAt: null, waiting: 10_000, waitsUntil: null } },
  },
});

test("what has a problem comes first, then what is busy, and only what does nothing is quiet", () => {
  const groups = ["quiet", "busy", "late", "held", "later", "broken"].map((name) =>
    aGroup(name, name === "busy" ? { lag: 9 } : {}),
  );
  const rows = groupRows(aSituation(groups, { level: "trouble", group: "broken", sentence: "It is broken" }), NOW);
  expect(rows.map(({ name }) => name)).toEqual(["broken", "busy", "held", "late", "later", "quiet"]);
  expect(rows.filter(({ isQuiet }) => isQuiet).map(({ name }) => name)).toEqual(["quiet"]);
  const row = (name: string) => rows.find((each) => each.name === name);
  expect([row("late")?.retrying.value, row("held")?.held, row("later")?.delayed]).toEqual([
    3,
    4,
    { value: 10_000, isBound: true },
  ]);
});

test.each([
  ["entries of events that the group has nothing to do with do not wait", { lag: 40 }, 0, {}, [0, false]],
  ["what Redis has lost waits, and not what is due in a moment", { lag: 0 }, 9, {}, [7, false]],
  [
    "what is tried again, or in flight, is counted there",
    { pending: 2 },
    11,
    { retrying: 3, uncertain: 1 },
    [3, false],
  ],
  ["beyond the bound the entries say how many", { lag: 60_000 }, 10_000, {}, [60_000, false]],
  ["beyond the bound, and Redis has lost them", { lag: 0 }, 10_000, {}, [10_000, true]],
] as const)("%s", (_, group, unfinished, states, [value, isBound]) => {
  const situation = aSituation([aGroup("one", group)]);
  const status = situation.status;
  if (status === undefined) throw new Error("there is none");
  const backlogs = { one: { unfinished, soon: 2, oldestAt: null, waiting: 0, waitsUntil: null } };
  const known = {
    ...situation,
    status: { ...status, backlogs, ledger: { ...status.ledger, byGroup: { one: states } } },
  };
  expect(groupRows(known, NOW)[0]?.waits).toEqual({ value, isBound });
});

test("what a consumer kept that was killed is not taken from what its peers have in flight", () => {
  const peer = { ...aConsumer({ inFlight: 50, kept: 20 }), name: "peer", pending: 70 };
  const killed = { ...aConsumer({ kept: 384 }), name: "killed", silentMs: 1_800_000 };
  const [row] = groupRows(aSituation([aGroup("one", { pending: 70, consumers: [peer, killed] })]), NOW);
  expect(row?.inFlight).toBe(50);
});

test.each([
  ["running", "well", {}],
  ["paused", "notice", { paused: true }],
  ["no consumer", "notice", { consumers: [] }],
  ["no consumer", "trouble", { consumers: [], lag: 1 }],
  ["no consumer yet", "notice", { consumers: [], lag: 1, wasRead: false, oldestUnfinishedMs: 900 }],
  ["no consumer", "trouble", { consumers: [], lag: 1, wasRead: false, oldestUnfinishedMs: 7_000 }],
  ["missing", "trouble", { exists: { events: true, retries: false } }],
  ["orphaned", "notice", { orphaned: true }],
  ["breaker open", "trouble", { consumers: [aConsumer({ breaker: { state: "open", since: NOW.toISOString() } })] }],
  ["running", "well", { consumers: [aConsumer(), { ...aConsumer(), silentMs: 900_000, pending: 0 }] }],
  ["partly running", "notice", { consumers: [aConsumer(), { ...aConsumer(), silentMs: 20_000, pending: 1 }] }],
  ["stopped", "trouble", { consumers: [{ ...aConsumer(), silentMs: 20_000, pending: 0 }] }],
  ["partly running", "notice", { consumers: [aConsumer(), aConsumer({ faults: { reader: NOW.toISOString() } })] }],
] as const)("a group is %s, which is %s", (state, stateLevel, parts) => {
  expect(groupRows(aSituation([aGroup("one", parts)]), NOW)[0]).toMatchObject({ state, stateLevel });
});

test("a mail server is one system for all groups, and refuses if it does for one of them, in its own words", () => {
  const since = "2026-11-28T09:00:00.000Z";
  const refused = aConsumer({ breaker: { state: "open", since, reason: "auth", words: "535 go away" } });
  const groups = [aGroup("one"), aGroup("two", { consumers: [refused] })];
  expect(systemRows(groupRows(aSituation(groups), NOW))).toEqual([
    {
      name: "mail server smtp.example:587",
      groups: ["two", "one"].sort(),
      level: "trouble",
      state: "open: auth",
      words: "535 go away",
      since: new Date(since),
    },
  ]);
});

test("a system that works again is no trouble, unless it still refuses somebody", () => {
  const since = "2026-11-28T09:00:00.000Z";
  const again = aConsumer({ breaker: { state: "recovering", since, reason: "auth", words: "535 go away" } });
  const refused = aConsumer({ breaker: { state: "open", since: NOW.toISOString(), reason: "auth" } });
  const of = (consumers: readonly ConsumerStatus[]) =>
    systemRows(groupRows(aSituation([aGroup("one", { consumers })]), NOW)).map(
      ({ level, state }) => `${level}: ${state}`,
    );
  expect(of([again])).toEqual(["notice: works again"]);
  expect(of([again, refused])).toEqual(["trouble: open: auth"]);
});

test("a finding leads to where more of it is seen, of its group or of all that it is about", async () => {
  const dead = { level: "notice", sentence: "2 dead letters", group: "one", see: "dead" } as const;
  const shown = async (finding: Finding) =>
    String(await NowParts({ snapshot: { at: NOW, situation: aSituation([aGroup("one")], finding) } }));
  expect(await shown(dead)).toContain('href="/console/deliveries?state=dead&amp;group=one"');
  expect(await shown({ ...dead, alsoOf: ["two"] })).toContain('href="/console/deliveries?state=dead"');
});

test("consumers are counted once, however many groups they work for; those with nothing to do are folded", async () => {
  const busy = { ...aConsumer({ inFlight: 3 }), name: "busy" };
  const groups = ["a", "b", "c", "d", "e"].map((name) =>
    aGroup(name, { lag: 1, consumers: [aConsumer(), name === "a" ? busy : { ...aConsumer(), name: "busy" }] }),
  );
  const page = String(await NowParts({ snapshot: { at: NOW, situation: aSituation(groups) } }));
  expect(page).toContain("<h2>2 consumers</h2>");
  expect(page).toContain("9 read, and have nothing in flight");
});

test("of 200 groups the quiet ones are folded, and the page stays small", async () => {
  const groups = Array.from({ length: 200 }, (_, at) =>
    aGroup(`group-${at}`, at < 3 ? { lag: 1, deadLetters: at } : {}),
  );
  const situation = aSituation(groups);
  const page = String(await NowParts({ snapshot: { at: NOW, situation } }));
  expect(page).toContain("197 quiet groups");
  expect(page.indexOf("group-2<")).toBeLessThan(page.indexOf("<details"));
  expect(page.length).toBeLessThan(300_000);
  const filtered = String(await NowParts({ snapshot: { at: NOW, situation }, filter: "group-19" }));
  expect(filtered).not.toContain("<details");
  expect(filtered.match(/data-part="group /g)).toHaveLength(11);
});

test("what a consumer only keeps is read and pending, but not in flight", () => {
  const keeping = aGroup("one", {
    pending: 384,
    consumers: [{ ...aConsumer({ inFlight: 3, kept: 381 }), pending: 384 }],
  });
  expect(groupRows(aSituation([keeping]), NOW)[0]?.inFlight).toBe(3);
});
