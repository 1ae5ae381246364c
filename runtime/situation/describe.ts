import {
  areHeld,
  deadLettersOf,
  isPaused,
  nobodyPublishes,
  noConsumerRuns,
  oldestWaits,
  partiesRefuse,
  unnamedSystem,
} from "../../observability/sentences.ts";
import { count, counted, duration } from "../quantity.ts";
import { type ConsumerFacts, type Facts, type GroupFacts, isSilent } from "./facts.ts";
import { doing, nounOf, pieces, quoted, since, upper, verb, waitingSafely } from "./words.ts";

/** trouble: work does not flow, or will not soon; notice: it flows, and somebody should look; well: neither. */
export type Level = "trouble" | "notice" | "well";

/** One thing to say about the system. */
export interface Finding {
  readonly level: Level;
  /** The group that it is about; undefined: the whole. */
  readonly group?: string;
  readonly sentence: string;
  /** What to do about it; undefined: it heals by itself, or there is nothing to do. */
  readonly remedy?: string;
}

/** Work that is older than this is late, if nothing else explains it. */
const LATE_MS = 30_000;
const OUTBOX_LATE_MS = 30_000;
const CLOCK_MS = 2_000;

const isLiving = (consumer: ConsumerFacts): boolean => !isSilent(consumer);

const ofStores = ({ postgres, redis, outbox }: Facts): readonly Finding[] => [
  ...(postgres === undefined
    ? []
    : [
        {
          level: "trouble" as const,
          sentence: `PostgreSQL ${postgres}: signups are refused, and what was accepted waits; none of it is lost`,
          remedy: "ops doctor",
        },
      ]),
  ...(redis === undefined
    ? []
    : [
        {
          level: "trouble" as const,
          sentence: `Redis ${redis}: signups succeed, and their events wait in the outbox${outbox.rows === 0 ? "" : ` (${count(outbox.rows)})`}; none is lost`,
          remedy: "ops doctor",
        },
      ]),
];

const nextProbe = (inMs: number): string =>
  inMs <= 0 ? "the next probe is due" : `next probe in ${duration(Math.ceil(inMs / 1_000) * 1_000)}`;

/** The breaker of a system that several consumers use: the longest open one stands for all. */
const ofBreakers = (group: GroupFacts, now: Date): readonly Finding[] => {
  const living = group.consumers.filter(isLiving);
  const open = living
    .filter(({ breaker }) => breaker.state === "open")
    .sort((left, right) => left.breaker.since.localeCompare(right.breaker.since));
  const [first] = open;
  if (first === undefined) return [];
  const { breaker, system = unnamedSystem(group.group) } = first;
  const probes = open.flatMap(({ breaker: { probeInMs } }) => probeInMs ?? []);
  const next = probes.length === 0 ? "" : `; ${nextProbe(Math.min(...probes))}`;
  const who = open.length === living.length ? "" : ` for ${open.length} of ${living.length} consumers`;
  const what = `${upper(system)} ${doing(breaker.reason)}${quoted(breaker.words)} ${since(breaker.since, now)}${who}`;
  return [
    { level: "trouble", group: group.group, sentence: `${what}${waitingSafely(group)}${next}`, remedy: "ops doctor" },
  ];
};

const ofConsumers = (group: GroupFacts): readonly Finding[] => {
  const { group: name, consumers, unfinished } = group;
  const living = consumers.filter(isLiving);
  const start = `start one: bun run consumer --group ${name}`;
  if (living.length === 0 && unfinished !== undefined && unfinished.count > 0 && group.pausedBy === null) {
    const silent = consumers.toSorted((left, right) => left.silentMs - right.silentMs)[0];
    const last = silent === undefined ? "" : ` (the last one fell silent ${duration(silent.silentMs)} ago)`;
    const sentence = `${noConsumerRuns(name)}${last}${waitingSafely(group)}`;
    return [{ level: "trouble", group: name, sentence, remedy: start }];
  }
  const stuck = living.filter(({ faults }) => Object.keys(faults).length > 0);
  const [first] = stuck;
  if (first === undefined) return [];
  const [fault] = Object.entries(first.faults).map(([what, why]) => `${what}: ${why}`);
  const others = stuck.length === 1 ? "" : `, and ${counted(stuck.length - 1, "other consumer")}`;
  return [
    {
      level: "trouble",
      group: name,
      sentence: `${first.name} of ${name}${others} cannot do its work (${fault})${waitingSafely(group)}`,
      remedy: "ops doctor",
    },
  ];
};

const ofPause = (group: GroupFacts): readonly Finding[] =>
  group.pausedBy === null
    ? []
    : [
        {
          level: "notice",
          group: group.group,
          sentence: `${isPaused(group.group)} by ${group.pausedBy}${waitingSafely(group)}`,
          remedy: `ops resume ${group.group}`,
        },
      ];

/** Late work that no fault explains: it is limited, or there is more than is done. */
const ofBacklog = (group: GroupFacts): readonly Finding[] => {
  const living = group.consumers.filter(isLiving);
  const { group: name, oldestMs, unfinished } = group;
  const isExplained =
    group.pausedBy !== null || living.length === 0 || living.some(({ breaker }) => breaker.state === "open");
  if (oldestMs < LATE_MS || unfinished === undefined || unfinished.count === 0 || isExplained) return [];
  const value = unfinished.count;
  const waits = oldestWaits(`${pieces(name, unfinished)} ${verb(value, "waits", "wait")}`, duration(oldestMs));
  const rates = living.flatMap(({ ratePerSecond }) => ratePerSecond ?? []);
  const rate = rates.length === 0 ? undefined : Math.min(...rates);
  const limits = living.flatMap(({ granted, system = "the other system" }) =>
    granted === undefined ? [] : [{ ...granted, system }],
  );
  const [limited] = limits.toSorted((left, right) => right.allowed - left.allowed);
  if (rate !== undefined) {
    const left = unfinished.isBound ? "" : `: about ${duration((value / rate) * 1_000)}`;
    const sentence = `${waits}; the rate allows ${rate.toFixed(rate < 10 ? 1 : 0)} a second${left}`;
    return [{ level: "notice", group: name, sentence, remedy: `ops rate ${name}` }];
  }
  if (limited?.allowed === 0 && limits.length === living.length) {
    const sentence = `${waits}; ${limited.system} has no connection for any consumer${quoted(limited.words)}; none is lost, and each asks again every second`;
    return [{ level: "trouble", group: name, sentence, remedy: "find out who uses the connections that it grants" }];
  }
  if (limited !== undefined) {
    const { system, allowed, words } = limited;
    const sentence = `${waits}; ${system} grants each consumer ${count(allowed)} at a time${quoted(words)}`;
    return [{ level: "notice", group: name, sentence }];
  }
  const sentence = `${waits}; ${counted(living.length, "consumer works", "consumers work")} on it`;
  return [{ level: "notice", group: name, sentence, remedy: "run more consumers, if it grows" }];
};

const untilWhen = (firstUntil: Date | null, now: Date): string =>
  firstUntil === null
    ? "until somebody decides"
    : `for a while, the first for ${duration(Math.max(0, firstUntil.getTime() - now.getTime()))}`;

const ofRest = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, held, dead } = group;
  const noun = nounOf(name);
  const parties = Math.max(0, ...group.consumers.filter(isLiving).map(({ waitingParties }) => waitingParties));
  return [
    ...(group.exists
      ? []
      : [
          {
            level: "trouble" as const,
            group: name,
            sentence: `The group ${name} is missing in Redis${waitingSafely(group)}`,
            remedy: "start the api: it makes missing groups within seconds",
          },
        ]),
    ...held.map(({ reason, count: value, firstUntil }) => ({
      level: "notice" as const,
      group: name,
      sentence: `${areHeld(counted(value, noun), verb(value, "is", "are"), name, reason)} ${untilWhen(firstUntil, now)}`,
      remedy: `ops held list --group ${name}`,
    })),
    ...(dead === 0
      ? []
      : [
          {
            level: "notice" as const,
            group: name,
            sentence: deadLettersOf(counted(dead, "dead letter"), name),
            remedy: `ops dead list --group ${name}`,
          },
        ]),
    ...(parties === 0
      ? []
      : [
          {
            level: "notice" as const,
            group: name,
            sentence: partiesRefuse(
              counted(parties, "domain refuses or defers", "domains refuse or defer"),
              noun,
              name,
            ),
          },
        ]),
  ];
};

const ofOutbox = ({ outbox, redis, now }: Facts): readonly Finding[] =>
  redis !== undefined || outbox.rows === 0 || outbox.oldestMs < OUTBOX_LATE_MS
    ? []
    : [
        {
          level: "trouble",
          sentence: nobodyPublishes(
            counted(outbox.rows, "event has", "events have"),
            since(new Date(now.getTime() - outbox.oldestMs).toISOString(), now),
          ),
          remedy: "the api publishes them: is one running, and does it reach Redis?",
        },
      ];

/** Of a loop that waits for a store that is away the store's finding says enough. */
const ofLoops = ({ loops = {}, postgres, redis }: Facts): readonly Finding[] => {
  const [first, ...others] = Object.entries(loops);
  if (first === undefined || postgres !== undefined || redis !== undefined) return [];
  const also = others.length === 0 ? "" : `, and ${counted(others.length, "other loop")}`;
  const [name, fault] = first;
  return [{ level: "trouble", sentence: `The loop ${name}${also} of this process cannot do its work (${fault})` }];
};

const ofClocks = ({ clockDifferenceMs }: Facts): readonly Finding[] =>
  Math.abs(clockDifferenceMs) <= CLOCK_MS
    ? []
    : [
        {
          level: "notice",
          sentence: `The clocks of Redis and PostgreSQL differ by ${duration(Math.abs(clockDifferenceMs))}`,
          remedy: "synchronise both by NTP",
        },
      ];

const wellSentence = (groups: readonly GroupFacts[]): string => {
  const [busiest] = groups.toSorted((left, right) => right.lastHour.total - left.lastHour.total);
  if (busiest === undefined || busiest.lastHour.total === 0) {
    const open = groups.reduce((sum, { unfinished }) => sum + (unfinished?.count ?? 0), 0);
    if (open === 0) return "All is well: nothing waits";
    return `All is well: ${counted(open, "delivery is", "deliveries are")} in work or ${verb(open, "waits", "wait")} for the next attempt`;
  }
  const { total, medianMs = 0 } = busiest.lastHour;
  const took = duration(medianMs < 1_000 ? Math.ceil(medianMs / 10) * 10 : medianMs);
  return `All is well: ${counted(total, nounOf(busiest.group))} in the last hour, half of them within ${took}`;
};

const RANK: Readonly<Record<Level, number>> = { trouble: 0, notice: 1, well: 2 };

/**
 * Says why, in sentences: the most important first, at least one. Pure, so that the command line, the console and health
 * answers say the same of the same facts.
 */
export const describe = (facts: Facts): readonly [Finding, ...Finding[]] => {
  const findings: Finding[] = [
    ...ofStores(facts),
    ...(facts.redis === undefined
      ? facts.groups.flatMap((group) => [
          ...ofBreakers(group, facts.now),
          ...ofConsumers(group),
          ...ofPause(group),
          ...ofBacklog(group),
          ...ofRest(group, facts.now),
        ])
      : []),
    ...ofOutbox(facts),
    ...ofLoops(facts),
    ...ofClocks(facts),
  ];
  const [first, ...others] = findings.toSorted((left, right) => RANK[left.level] - RANK[right.level]);
  return first === undefined ? [{ level: "well", sentence: wellSentence(facts.groups) }] : [first, ...others];
};
