import { partiesRefuse, unnamedSystem } from "../../observability/sentences.ts";
import { counted, duration } from "../quantity.ts";
import { type ConsumerFacts, type GroupFacts, isLiving, type RetryingFacts } from "./facts.ts";
import { failedLately } from "./failed-lately.ts";
import type { Finding } from "./finding.ts";
import { remedyFor } from "./remedies.ts";
import { doing, isOfSystem, nounOf, pieces, quoted, upper, verb } from "./words.ts";

/** Whether something else says why work waits. */
export const isExplained = ({ pausedBy, consumers }: GroupFacts): boolean => {
  const living = consumers.filter(isLiving);
  return pausedBy !== null || living.length === 0 || living.some(({ breaker }) => breaker.state !== "closed");
};

/** So many of what the last hour finished may be tried again without anybody having to look: one in twenty. */
const FEW = 20;

/** Pieces that wait for their next attempt, if they are not a few among many that flow. */
export const retriesOf = ({ retrying, lastHour }: GroupFacts): { readonly value: number; readonly areFew: boolean } => {
  const value = retrying.reduce((sum, { count: each }) => sum + each, 0);
  return { value, areFew: value * FEW <= lastHour.total };
};

/** Why pieces wait that wait for a probe of their party. */
const PARTY_WAITS = "party_waits";

/** The system has just begun to fail, or nobody has tried often enough for a breaker to open. */
const ofFailures = (group: GroupFacts, waits: string, next: string): readonly Finding[] => {
  const { group: name, consumers } = group;
  const living = consumers.filter(isLiving);
  const failing = living.filter(failedLately);
  const [first] = failing;
  if (first === undefined) return [];
  const { breaker, system = unnamedSystem(name) } = first;
  const who = failing.length === living.length ? "" : ` for ${failing.length} of ${living.length} consumers`;
  const sentence = `${upper(system)} ${doing(breaker.reason)}${quoted(breaker.words)}${who}; ${waits}, ${next}; none is lost`;
  return [
    {
      level: failing.length === living.length ? "trouble" : "notice",
      group: name,
      sentence,
      remedy: remedyFor(name, breaker.reason),
      see: "retrying",
      cause: `${system} ${breaker.reason}`,
    },
  ];
};

/** Nothing has worked since the system failed for each consumer that runs, though none has tried often enough for its breaker to open. */
export const ofLastAttempts = (group: GroupFacts, waits?: string): readonly Finding[] => {
  const { group: name, consumers } = group;
  const living = consumers.filter(isLiving);
  if (isExplained(group) || !living.every(failedLately)) return [];
  const ageOf = ({ breaker, silentMs }: ConsumerFacts) => (breaker.reasonAgeMs ?? 0) + silentMs;
  const [latest] = living.toSorted((left, right) => ageOf(left) - ageOf(right));
  if (latest === undefined) return [];
  const { breaker, system = unnamedSystem(name) } = latest;
  const what = `${upper(system)} ${doing(breaker.reason)}${quoted(breaker.words)}, the last time ${duration(ageOf(latest))} ago`;
  const sentence = waits === undefined ? what : `${what}; ${waits}; none is lost`;
  const remedy = remedyFor(name, breaker.reason);
  return [{ level: "trouble", group: name, sentence, remedy, cause: `${system} ${breaker.reason}` }];
};

const nextAttempt = (retrying: readonly RetryingFacts[], now: Date): string => {
  const first = Math.min(...retrying.map(({ firstAt }) => firstAt.getTime())) - now.getTime();
  return first <= 0 ? "the first is due" : `the first in ${duration(Math.ceil(first / 1_000) * 1_000)}`;
};

export const ofRetries = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, retrying, notInRedis = 0 } = group;
  const { value, areFew } = retriesOf(group);
  const [most, ...others] = retrying.toSorted((left, right) => right.count - left.count);
  // What Redis has lost waits for something else.
  if (areFew || most === undefined || isExplained(group) || notInRedis >= value) return [];
  if (most.reason === PARTY_WAITS && waitingParties(group).length > 0) return [];
  const next = nextAttempt(retrying, now);
  const isBound = retrying.some((each) => each.isBound);
  const waits = `${pieces(name, { count: value, isBound })} of ${name} ${verb(value, "waits for its", "wait for their")} next attempt`;
  const failures = isOfSystem(most.reason) ? ofFailures(group, waits, next) : [];
  if (failures.length > 0) return failures;
  const also = others.length === 0 ? "" : `, and ${counted(others.length, "other reason")}`;
  const sentence = `${waits} (${most.reason}${also}), ${next}`;
  const remedy = `ops retrying --group ${name}`;
  const { reason } = most;
  return [{ level: "notice", group: name, sentence, reason, remedy, see: "retrying", cause: `retrying ${reason}` }];
};

const waitingParties = ({ consumers }: GroupFacts): readonly ConsumerFacts[] =>
  consumers.filter((consumer) => isLiving(consumer) && consumer.waitingParties > 0);

/** Domains that refuse or defer everything, in their words; while everything is refused, that is said instead. */
export const ofParties = (group: GroupFacts): readonly Finding[] => {
  const { group: name, retrying } = group;
  const concerned = waitingParties(group).toSorted((left, right) => right.waitingParties - left.waitingParties);
  const [most] = concerned;
  if (most === undefined || isExplained(group)) return [];
  const who = most.waitingParties === 1 ? "it" : "one of them";
  const words = most.partyWords === undefined ? "" : `; ${who} says “${most.partyWords}”`;
  const waiting = retrying.find(({ reason }) => reason === PARTY_WAITS);
  const wait =
    waiting === undefined
      ? ""
      : `; ${pieces(name, waiting)} ${verb(waiting.count, "waits", "wait")} until one is accepted, none is lost`;
  const refuse = counted(most.waitingParties, "domain refuses or defers", "domains refuse or defer");
  const sentence = `${partiesRefuse(refuse, nounOf(name), name)}${wait}${words}`;
  const remedy = "ask its operator about its words; what it accepts again is sent by itself";
  return [{ level: "notice", group: name, sentence, remedy, see: waiting === undefined ? "held" : "retrying" }];
};
