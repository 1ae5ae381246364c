import { isPaused, noConsumerRuns, oldestWaits, unnamedSystem } from "../../observability/sentences.ts";
import { SIGN_REFUSED } from "../published-fault.ts";
import { count, counted, duration, roundedRate } from "../quantity.ts";
import {
  BACK_WITHIN_MS,
  type ConsumerFacts,
  type GroupFacts,
  isLiving,
  MISSED_MS,
  missesSigns,
  SIGN_OF_LIFE_EVERY_MS,
  type StoreFault,
  type Waiting,
} from "./facts.ts";
import type { Finding } from "./finding.ts";
import { isExplained, ofLastAttempts, ofParties, ofRetries, retriesOf } from "./of-retries.ts";
import {
  causeOf,
  mayHaveHealed,
  nounOf,
  pieces,
  quoted,
  RECEIVER_GONE,
  since,
  upper,
  verb,
  waitingSafely,
} from "./words.ts";

/** Work that is older than this is late, if nothing else explains it. */
const LATE_MS = 10_000;
/** Who has been refused for so long, without a word of a limit, may be one that cannot reach the system. */
const SILENCE_MS = 60_000;

/** Consumers that may have stopped, and what they had in flight: nobody else has it yet. */
const ofQuiet = (group: GroupFacts): readonly Finding[] => {
  const { group: name, consumers, strayEntries, pausedBy, unfinished } = group;
  const heard = consumers.filter((consumer) => !missesSigns(consumer));
  if (heard.length === 0) {
    const last = consumers.filter(isLiving).toSorted((left, right) => left.silentMs - right.silentMs)[0];
    if (last === undefined || unfinished === undefined || unfinished.count === 0) return [];
    const sentence = `No consumer of ${name} has given a sign of life for ${duration(last.silentMs)}${waitingSafely(group)}`;
    return [{ level: "notice", group: name, sentence, cause: "no sign of life" }];
  }
  const gone = consumers.filter((consumer) => missesSigns(consumer) && consumer.pending > 0);
  const entries = gone.reduce((sum, { pending }) => sum + pending, strayEntries);
  if (entries === 0) return [];
  const [only] = gone;
  const who =
    only !== undefined && gone.length === 1 && strayEntries === 0
      ? `${only.name}, which fell silent ${duration(only.silentMs)} ago`
      : "consumers that are gone";
  const taken = `${verb(entries, "is", "are")} with ${who}; another consumer takes ${verb(entries, "it", "them")} over`;
  const when = pausedBy === null ? "" : " once the group is resumed";
  return [{ level: "notice", group: name, sentence: `${counted(entries, nounOf(name))} of ${name} ${taken}${when}` }];
};

/** No trace of a consumer: there was none, or Redis was emptied, and those that run give their next sign soon. */
const ofNoTrace = (group: GroupFacts): readonly Finding[] => {
  const { group: name, exists, oldestMs } = group;
  // That the group is missing is said elsewhere, and why.
  if (!exists) return [];
  if (oldestMs > 0 && oldestMs < MISSED_MS) {
    const sentence = `No consumer of ${name} has given a sign of life yet, and nothing of it in Redis is older than ${duration(oldestMs)}${waitingSafely(group)}`;
    const remedy = `look again in ${duration(MISSED_MS)}: those that run give a sign every ${duration(SIGN_OF_LIFE_EVERY_MS)}`;
    return [{ level: "notice", group: name, sentence, remedy, cause: "no consumer yet" }];
  }
  const sentence = `${noConsumerRuns(name)}${waitingSafely(group)}`;
  const remedy = `start one, unless Redis was emptied seconds ago: bun run consumer --group ${name}`;
  return [{ level: "trouble", group: name, sentence, remedy, cause: "no consumer" }];
};

/** What keeps a consumer from its work, but for a group that was missing and has been made again since it said so. */
const faultsOf = (
  { faults }: ConsumerFacts,
  { exists }: GroupFacts,
): readonly (readonly [what: string, why: string])[] =>
  Object.entries(faults).filter(([, why]) => !(exists && why.includes("(NOGROUP)")));

/** Redis answers who asks for the situation, and has what the consumer said of it; or the consumer says it itself. */
const ofHealing = (group: GroupFacts, { name, silentMs }: ConsumerFacts): Finding => ({
  level: "notice",
  group: group.group,
  sentence: `Redis answers, and ${name} of ${group.group} ${silentMs === 0 ? "has yet to try again" : `did not know it ${duration(silentMs)} ago`}${waitingSafely(group)}`,
  remedy: `look again in ${duration(MISSED_MS)}, then: ops doctor`,
  cause: "Redis answers again",
});

/** Those who work, and cannot say so. */
const ofUnheard = (
  { group }: GroupFacts,
  who: string,
  faults: readonly (readonly [what: string, why: string])[],
): Finding => ({
  level: "trouble",
  group,
  sentence: `To others ${who} may look dead, and works on (${faults.map(([, why]) => why).join(", ")})`,
  remedy: "ops doctor",
  cause: causeOf(faults, group),
});

const ofConsumers = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, consumers, unfinished } = group;
  const living = consumers.filter(isLiving);
  const start = `start one: bun run consumer --group ${name}`;
  if (living.length === 0 && unfinished !== undefined && unfinished.count > 0 && group.pausedBy === null) {
    if (consumers.length === 0) return ofNoTrace(group);
    const silentMs = Math.min(...consumers.map((consumer) => consumer.silentMs));
    const last = ` (the last one fell silent ${duration(silentMs)} ago)`;
    const sentence = `${noConsumerRuns(name)}${last}${waitingSafely(group)}`;
    return [{ level: "trouble", group: name, sentence, remedy: start, cause: "no consumer" }];
  }
  const stuck = living.filter((consumer) => faultsOf(consumer, group).length > 0);
  const [first] = stuck;
  if (first === undefined) return [];
  if (stuck.every((consumer) => faultsOf(consumer, group).every(([, why]) => mayHaveHealed(why, now))))
    return [ofHealing(group, first)];
  const faults = faultsOf(first, group);
  const others = stuck.length === 1 ? "" : `, and ${counted(stuck.length - 1, "other consumer")}`;
  if (stuck.every((consumer) => faultsOf(consumer, group).every(([, why]) => why.startsWith(SIGN_REFUSED))))
    return [ofUnheard(group, `${first.name} of ${name}${others}`, faults)];
  const [fault] = faults.map(([what, why]) => `${what}: ${why}`);
  return [
    {
      level: "trouble",
      group: name,
      sentence: `${first.name} of ${name}${others} cannot do its work (${fault})${waitingSafely(group)}`,
      remedy: "ops doctor",
      cause: causeOf(faults, name),
    },
  ];
};

const ofPause = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, pausedBy, pausedAt, pausedFor } = group;
  if (pausedBy === null) return [];
  const when = pausedAt === null ? "" : ` ${since(pausedAt.toISOString(), now)}`;
  if (pausedFor === RECEIVER_GONE) {
    const sentence = `${isPaused(name)}${when}: its receiver answered that it is gone (410)${waitingSafely(group)}`;
    const remedy = `ops webhook enable ${name.replace(/^webhook-/, "")}, once it takes webhooks again`;
    return [{ level: "trouble", group: name, sentence, remedy, see: "receivers" }];
  }
  const sentence = `${isPaused(name)} by ${pausedBy}${when}${waitingSafely(group)}`;
  return [{ level: "notice", group: name, sentence, remedy: `ops resume ${name}`, see: "pauses" }];
};

/** A rate is why work waits if it takes this long by it, at least. */
const HELD_UP_MS = 10_000;

const ofRate = (
  group: GroupFacts,
  { count: value, isBound }: Waiting,
  waits: string,
  now: Date,
): Finding | undefined => {
  const { group: name, ordered, consumers } = group;
  const rates = consumers.filter(isLiving).flatMap(({ ratePerSecond }) => ratePerSecond ?? []);
  if (rates.length === 0) return undefined;
  const rate = Math.min(...rates);
  const takesMs = (value / rate) * 1_000;
  if (takesMs < HELD_UP_MS) return undefined;
  const by = ordered === undefined ? "" : ` that ${ordered.by} ordered, ${since(ordered.at.toISOString(), now)},`;
  // Other groups may share it.
  const left = isBound ? "" : `: at least ${duration(takesMs)} more`;
  const sentence = `${waits}; the rate${by} allows ${count(roundedRate(rate))} a second${left}`;
  return { level: "notice", group: name, sentence, remedy: `ops rate ${name}`, see: "rates" };
};

/** All that waits is in work: the other system takes its time, and more consumers would change nothing. */
const ofInWork = (
  { group: name }: GroupFacts,
  { count: value, isBound }: Waiting,
  waits: string,
  at: readonly ConsumerFacts[],
): readonly Finding[] => {
  const inFlight = at.reduce((sum, each) => sum + each.inFlight, 0);
  if (isBound || inFlight < value) return [];
  const system = at.find((each) => each.inFlight > 0 && each.system !== undefined)?.system ?? unnamedSystem(name);
  const sentence = `${waits}; ${verb(value, "it is", "all are")} in work with ${system}`;
  return [{ level: "notice", group: name, sentence, cause: "in work" }];
};

/** Those for which the other system has had room for nothing, for so long at least. */
const withNothing = (consumers: readonly ConsumerFacts[], group: string, leastMs: number) =>
  consumers.flatMap(({ name: consumer, granted, system = unnamedSystem(group) }) => {
    const forMs = granted?.nothingForMs ?? 0;
    return granted?.allowed === 0 && forMs >= leastMs ? [{ ...granted, consumer, forMs, system }] : [];
  });

/** The other system has room for nobody. What is given back, and comes back after a second, is never old. */
const ofNothingGranted = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, unfinished } = group;
  if (isExplained(group) || unfinished?.count === 0) return [];
  const living = group.consumers.filter(isLiving);
  const nothing = withNothing(living, name, LATE_MS);
  const [latest] = nothing.toSorted((left, right) => left.forMs - right.forMs);
  if (latest === undefined || nothing.length < living.length) return [];
  const when = since(new Date(now.getTime() - latest.forMs).toISOString(), now);
  const who = living.length === 1 ? latest.consumer : "any consumer";
  const sentence = `${upper(latest.system)} has had no connection for ${who} of ${name} ${when}${quoted(latest.words ?? latest.refusal)}${waitingSafely(group)}`;
  const remedy = "find out who uses the connections that it grants; each asks again by itself";
  return [{ level: "trouble", group: name, sentence, remedy, cause: `${latest.system} grants nothing` }];
};

/** Where a limit is not spoken of, those beyond it look like one that cannot reach the system. */
const ofRefusedInSilence = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, consumers } = group;
  if (ofNothingGranted(group, now).length > 0) return [];
  const living = consumers.filter(isLiving);
  const hasSome = ({ granted, breaker }: ConsumerFacts) => granted?.allowed !== 0 && breaker.state === "closed";
  const refused = withNothing(living, name, SILENCE_MS).filter(({ words }) => words === undefined);
  const [longest] = refused.toSorted((left, right) => right.forMs - left.forMs);
  if (longest === undefined || !living.some(hasSome)) return [];
  const when = since(new Date(now.getTime() - longest.forMs).toISOString(), now);
  const who =
    refused.length === 1 ? longest.consumer : `${count(refused.length)} of ${counted(living.length, "consumer")}`;
  const others = living.some((each) => hasSome(each) && each.inFlight > 0) ? "; others send" : "";
  const sentence = `${upper(longest.system)} has refused all connections of ${who} of ${name} without a word of a limit ${when}${quoted(longest.refusal)}${others}`;
  const remedy = "if it grants few, others do the work; else find out what keeps them from reaching it";
  return [{ level: "notice", group: name, sentence, remedy, cause: `${longest.system} refuses some` }];
};

/** Late work that no fault explains: it is limited, or there is more than is done. */
const ofBacklog = (group: GroupFacts, now: Date): readonly Finding[] => {
  const living = group.consumers.filter(isLiving);
  const heard = living.filter((consumer) => !missesSigns(consumer));
  const { group: name, oldestMs, unfinished } = group;
  if (oldestMs < LATE_MS || unfinished === undefined || unfinished.count === 0 || isExplained(group)) return [];
  if (ofNothingGranted(group, now).length > 0) return [];
  const value = unfinished.count;
  const waits = oldestWaits(`${pieces(name, unfinished)} ${verb(value, "waits", "wait")}`, duration(oldestMs));
  const limits = living.flatMap(({ granted, system = "the other system" }) =>
    granted === undefined ? [] : [{ ...granted, system }],
  );
  const [limited] = limits.toSorted((left, right) => right.allowed - left.allowed);
  const slow = ofRate(group, unfinished, waits, now);
  if (slow !== undefined) return [slow];
  if (limited !== undefined) {
    const { system, allowed, words } = limited;
    const sentence = `${waits}; by what ${system} grants, each consumer takes ${count(allowed)} at a time${quoted(words)}`;
    return [{ level: "notice", group: name, sentence }];
  }
  const failures = ofLastAttempts(group, waits);
  // What waits for its next attempt says the same, unless it is a few among many.
  if (failures.length > 0) return retriesOf(group).areFew ? failures : [];
  const inWork = ofInWork(group, unfinished, waits, heard);
  if (inWork.length > 0) return inWork;
  const kept = heard.reduce((sum, each) => sum + (each.kept ?? 0), 0);
  const behind = kept === 0 ? "" : `, ${count(kept)} of them behind others, since much like them failed lately`;
  const sentence = `${waits}${behind}; ${counted(heard.length, "consumer works", "consumers work")} on it`;
  return [{ level: "notice", group: name, sentence, remedy: "run more consumers, if it grows" }];
};

const ofNotInRedis = ({ group: name, notInRedis = 0 }: GroupFacts): readonly Finding[] => {
  if (notInRedis === 0) return [];
  const sentence = `Redis no longer has ${pieces(name, { count: notInRedis, isBound: false })} of ${name}: an api queues ${verb(notInRedis, "it", "each")} again from the ledger, by default within ${duration(BACK_WITHIN_MS)} after it is due; none is lost`;
  return [{ level: "notice", group: name, sentence, cause: "not in Redis" }];
};

const ofFlowWithSigns = (group: GroupFacts, now: Date): readonly Finding[] => [
  ...ofConsumers(group, now),
  ...ofQuiet(group),
  ...ofPause(group, now),
  ...ofNothingGranted(group, now),
  ...ofRefusedInSilence(group, now),
  ...ofBacklog(group, now),
  ...(group.unfinished === undefined ? ofLastAttempts(group) : []),
  ...ofNotInRedis(group),
  ...ofParties(group),
  ...ofRetries(group, now),
];

/**
 * While Redis refuses writes: signs of life are writes, so that silence says nothing of the consumers, and why work waits is said. What they said before
 * counts, unless it is of Redis.
 */
const ofFlowWithoutSigns = (group: GroupFacts, now: Date): readonly Finding[] => {
  const isOfOthers = ([, why]: readonly [what: string, why: string]) => !why.startsWith("Redis ");
  const consumers = group.consumers
    .filter(isLiving)
    .map((each) => ({ ...each, faults: Object.fromEntries(Object.entries(each.faults).filter(isOfOthers)) }));
  const heard = { ...group, consumers };
  return [
    ...(consumers.length === 0 ? [] : ofConsumers(heard, now)),
    ...ofPause(group, now),
    ...ofParties(heard),
    ...ofRetries(heard, now),
  ];
};

/**
 * What keeps a group's work from flowing, but for the outages of the system that it works with. `redis`: what keeps Redis from its work, which is said
 * elsewhere.
 */
export const ofFlow = (group: GroupFacts, now: Date, redis?: StoreFault): readonly Finding[] =>
  redis === undefined ? ofFlowWithSigns(group, now) : ofFlowWithoutSigns(group, now);
