import { unnamedSystem } from "../../observability/sentences.ts";
import { duration } from "../quantity.ts";
import { type ConsumerFacts, type GroupFacts, isLiving, type Waiting } from "./facts.ts";
import { failedLately } from "./failed-lately.ts";
import type { Finding } from "./finding.ts";
import { remedyFor } from "./remedies.ts";
import { doing, quoted, RECEIVER_GONE, since, upper, waitingSafely } from "./words.ts";

const nextProbe = (inMs: number): string =>
  inMs <= 0 ? "the next probe is due" : `next probe in ${duration(Math.ceil(inMs / 1_000) * 1_000)}`;

/** When the first piece is due that could be a probe, in ms: what is due, or in a consumer, can be one now. */
const firstPieceInMs = ({ unfinished, retrying }: GroupFacts, now: Date): number => {
  const later = retrying.reduce((sum, { count }) => sum + count, 0);
  if (unfinished === undefined || unfinished.isBound || later === 0 || later < unfinished.count) return 0;
  return Math.min(...retrying.map(({ firstAt }) => firstAt.getTime() - now.getTime()));
};

const recoveringOf = ({ consumers }: GroupFacts): ConsumerFacts | undefined =>
  consumers.find((consumer) => isLiving(consumer) && consumer.breaker.state === "recovering");

/** A probe has succeeded, and work comes back little by little. Without any it stays so, and there is nothing to say. */
const ofRecovery = (group: GroupFacts, now: Date): readonly Finding[] => {
  const recovering = recoveringOf(group);
  if (recovering === undefined || group.unfinished?.count === 0) return [];
  const { breaker, system = unnamedSystem(group.group) } = recovering;
  const sentence = `${upper(system)} works again ${since(breaker.since, now)}, and more is tried bit by bit${waitingSafely(group)}`;
  return [{ level: "notice", group: group.group, sentence }];
};

/** The consumers whose breaker is open, the longest open one first: it stands for all. */
const openOf = ({ consumers, pausedFor }: GroupFacts): readonly ConsumerFacts[] =>
  // Its pause says the same, and that it waits for an operator.
  pausedFor === RECEIVER_GONE
    ? []
    : consumers
        .filter((consumer) => isLiving(consumer) && consumer.breaker.state === "open")
        .toSorted((left, right) => left.breaker.since.localeCompare(right.breaker.since));

const ofBreakers = (group: GroupFacts, now: Date): readonly Finding[] => {
  const living = group.consumers.filter(isLiving);
  const open = openOf(group);
  const [first] = open;
  if (first === undefined) return ofRecovery(group, now);
  const { breaker, system = unnamedSystem(group.group) } = first;
  const probes = open.flatMap(({ breaker: { probeInMs } }) => probeInMs ?? []);
  const next = probes.length === 0 ? "" : `; ${nextProbe(Math.max(Math.min(...probes), firstPieceInMs(group, now)))}`;
  // A breaker opens after some failures; who has had fewer fails all the same.
  const failing = living.filter((each) => each.breaker.state === "open" || failedLately(each)).length;
  const who = failing === living.length ? "" : ` for ${failing} of ${living.length} consumers`;
  const what = `${upper(system)} ${doing(breaker.reason)}${quoted(breaker.words)} ${since(breaker.since, now)}${who}`;
  return [
    {
      level: "trouble",
      group: group.group,
      sentence: `${what}${waitingSafely(group)}${next}`,
      remedy: remedyFor(group.group, breaker.reason),
    },
  ];
};

const total = (parts: readonly Waiting[]): Waiting => ({
  count: parts.reduce((sum, { count }) => sum + count, 0),
  isBound: parts.some(({ isBound }) => isBound),
});

/** Groups as if they were one. */
const joined = (first: GroupFacts, others: readonly GroupFacts[]): GroupFacts => {
  const groups = [first, ...others];
  const unfinished = groups.flatMap((group) => group.unfinished ?? []);
  return {
    ...first,
    consumers: groups.flatMap(({ consumers }) => consumers),
    unfinished: unfinished.length < groups.length ? undefined : total(unfinished),
    delayed: total(groups.map(({ delayed }) => delayed)),
    retrying: groups.flatMap(({ retrying }) => retrying),
  };
};

/** Groups with the same are in the same outage: of one system, which fails all of them in one way, or works again. */
const outageOf = (group: GroupFacts): string => {
  const [open] = openOf(group);
  const { system, breaker } = open ?? recoveringOf(group) ?? {};
  return system === undefined ? group.group : `${system} ${breaker?.state} ${doing(breaker?.reason)}`;
};

/** What is to be said about other systems that fail, or did: once of each, however many groups work with it. */
export const ofOutages = (groups: readonly GroupFacts[], now: Date): readonly Finding[] =>
  [...Map.groupBy(groups, outageOf).values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const findings = ofBreakers(joined(first, others), now);
    return others.length === 0
      ? findings
      : findings.map((finding) => ({ ...finding, alsoOf: others.map(({ group }) => group) }));
  });
