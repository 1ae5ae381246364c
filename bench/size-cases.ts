import assert from "node:assert/strict";
import type { Database } from "../database/connection.ts";
import { claimDeliveries } from "../database/ledger/claim.ts";
import { countLedger, readBacklog, readBacklogs } from "../database/ledger/counts.ts";
import { countReasonsOf, listDeliveries } from "../database/ledger/list.ts";
import { takeLostDeliveries } from "../database/ledger/lost.ts";
import { releaseDueDeliveries } from "../database/ledger/release-due.ts";
import { positionAt, readLogEnd, readLogPage } from "../database/ledger/replay.ts";
import { settleDeliveries } from "../database/ledger/settle.ts";
import { findDeliveries } from "../database/ledger/status.ts";
import { findUsers } from "../database/users/find.ts";
import { findRecipients } from "../database/users/recipients.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import { randomHex } from "../observability/trace-context.ts";
import { boundGroups, GROUPS, WELCOME_EMAIL } from "../stream/groups.ts";
import { aSignup } from "../tests/pipeline.ts";
import type { PastSignup } from "./size-rows.ts";

/** A batch of signups or deliveries, as one statement has under load. */
const BATCH = 20;
const PAGE = 50;
/** Of the dead letters in the history. */
const REASONS = 5;
const MOST_FOUND = 100;
const group = WELCOME_EMAIL.name;
const groups = GROUPS.map(({ name }) => name);
const MANY_GROUPS = 200;
const manyGroups = [...groups, ...Array.from({ length: MANY_GROUPS - groups.length }, (_, at) => `webhook-${at}`)];
const consumer = "bench";
/** As long as a real one. */
const HASH = `$argon2id$v=19$m=19456,t=2,p=1$${"s".repeat(22)}$${"h".repeat(43)}`;

/** Something that the service asks of the ledger, to be repeated. */
export interface SizeCase {
  readonly name: string;
  /** It reads up to this many rows, so it costs more than beside an empty ledger, up to there. */
  readonly upTo?: number;
  /** Of what is written: how many signups or deliveries a call is about. */
  readonly batch?: number;
  readonly run: () => Promise<unknown>;
}

/** Anywhere among the names and addresses of the history. */
const aPerson = () => {
  const name = randomHex(7);
  const email = `${name}@inbox.example`;
  return { userName: name, userNameKey: name, email, emailKey: email, passwordHash: HASH };
};

/** The time in a UUIDv7. */
const madeAt = (id: string): Date => new Date(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16));

/** Each call takes the next of the past signups. */
const inTurn = (past: readonly PastSignup[]): (() => PastSignup) => {
  let at = 0;
  return () => {
    const next = past[at % past.length];
    assert.ok(next);
    at += 1;
    return next;
  };
};

/** What signups, consumers, loops, people and operators ask, on one database, in the order of a signup's way. */
export const sizeCases = (db: Database, past: readonly PastSignup[]): readonly SizeCase[] => {
  const signups = createSignupWriter(db, boundGroups(GROUPS));
  const next = inTurn(past);
  const signedUp: string[][] = [];
  const newUsers: string[][] = [];
  const claimed: { readonly event_id: string; readonly fence: number }[][] = [];
  const dead = { groups, state: "dead", limit: PAGE } as const;

  const accept = async () => {
    const batch = Array.from({ length: BATCH }, () => aSignup(aPerson()));
    await Promise.all(batch.map((signup) => signups.write(signup)));
    signedUp.push(batch.map(({ event }) => event.eventId));
    newUsers.push(batch.map(({ userId }) => userId));
  };
  const claim = async () => {
    const wanted = signedUp.pop() ?? [];
    const found = await claimDeliveries(
      db,
      wanted.map((event_id) => ({ event_id, lookup: "ready", reason: null })),
      {
        ...{
          group,
          consumer,
          leaseMs: 60_000,
          expireAfterMs: undefined,
          wallClockMs: 0,
          isIdempotent: false,
          uncertain: "resend",
        },
        token: Bun.randomUUIDv7(),
      },
    );
    const taken = [...found.values()].flatMap((each) =>
      each.kind === "taken" ? [{ event_id: each.eventId, fence: each.fence }] : [],
    );
    assert.equal(taken.length, BATCH);
    claimed.push(taken);
  };
  const settle = async () => {
    const counters = { attempts: 1, system_failures: 0, uncertain: 0, delay_ms: null, reason: null };
    const settlements = (claimed.pop() ?? []).map((each) => ({
      ...{ ...each, ...counters, state: "done" as const, receipt: `<${each.event_id}@inbox.example>` },
      reply: "250 2.0.0 OK",
    }));
    const results = await settleDeliveries(db, settlements, { group, consumer });
    assert.deepEqual(new Set(results), new Set(["applied"]));
  };

  return [
    { name: `accept ${BATCH} signups`, batch: BATCH, run: accept },
    { name: `look ${BATCH} new users up`, run: () => findRecipients(db, newUsers.pop() ?? []) },
    {
      name: `look ${BATCH} users of a year up`,
      run: () =>
        findRecipients(
          db,
          Array.from({ length: BATCH }, () => next().user_id),
        ),
    },
    { name: `claim ${BATCH}`, batch: BATCH, run: claim },
    { name: `settle ${BATCH}`, batch: BATCH, run: settle },
    {
      name: "reconcile, nothing lost",
      run: () => takeLostDeliveries(db, { group, overtakenByMs: 0, reconcileAfterMs: 3_600_000, limit: 250 }),
    },
    { name: "release, nothing due", run: () => releaseDueDeliveries(db, group, 250) },
    { name: "backlog of a group", run: () => readBacklog(db, group) },
    { name: `backlogs of ${MANY_GROUPS} groups`, upTo: 10_000, run: () => readBacklogs(db, manyGroups) },
    { name: "status of an event", run: () => findDeliveries(db, next().event_id) },
    { name: "find by address", run: () => findUsers(db, next().email, MOST_FOUND) },
    { name: "find by event", run: () => findUsers(db, next().event_id, MOST_FOUND) },
    { name: "find by trace", upTo: 200_000, run: () => findUsers(db, next().trace_id, MOST_FOUND) },
    { name: "first dead letters", upTo: REASONS * (PAGE + 1), run: () => listDeliveries(db, dead) },
    {
      name: "dead letters of a reason",
      upTo: PAGE + 1,
      run: () => listDeliveries(db, { ...dead, reason: "reason-1" }),
    },
    { name: "counts by reason", upTo: 10_000, run: () => countReasonsOf(db, dead) },
    { name: "latest done", run: () => listDeliveries(db, { ...dead, state: "done" }) },
    { name: "ledger counted (status, gauges)", upTo: 100_000, run: () => countLedger(db) },
    {
      name: "page of a replay",
      run: async () => {
        // Not the oldest: of those, retention has left a few that are far apart.
        const after = positionAt(madeAt(next().event_id));
        return readLogPage(db, { group, after, to: await readLogEnd(db), limit: 250 });
      },
    },
  ];
};
