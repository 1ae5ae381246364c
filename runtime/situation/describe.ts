import { count, counted, duration } from "../quantity.ts";
import { type Facts, type GroupFacts, missesSigns } from "./facts.ts";
import type { Finding, Level } from "./finding.ts";
import { folded } from "./folded.ts";
import { ofFlow } from "./of-group.ts";
import { ofOutages } from "./of-outages.ts";
import { ofRest } from "./of-rest.ts";
import { retriesOf } from "./of-retries.ts";
import { ofSystem } from "./of-system.ts";
import { nounOf, verb } from "./words.ts";

/** How many of a group's deliveries are due, and are published as far as that is known. */
const dueOf = (group: GroupFacts, { rows }: Facts["outbox"]): number =>
  // Of an event that is not published no delivery has begun: as many of each group as have them, at the most, are not due.
  Math.max(0, (group.unfinished?.count ?? 0) - retriesOf(group).value - rows);

/** How many of them consumers work on, as they said within the last seconds. */
const inWorkOf = ({ consumers }: GroupFacts, due: number): number =>
  Math.min(
    due,
    consumers.filter((consumer) => !missesSigns(consumer)).reduce((sum, { inFlight }) => sum + inFlight, 0),
  );

/** What is in work, waits in the queue, for its next attempt, for the end of its group's delay, or to be published. */
const openOf = ({ groups, outbox }: Facts): readonly string[] => {
  const sum = (of: (group: GroupFacts) => number) => groups.reduce((total, group) => total + of(group), 0);
  const orMore = (isBound: boolean) => (isBound ? " or more" : "");
  const retrying = sum((group) => retriesOf(group).value);
  const working = sum((group) => inWorkOf(group, dueOf(group, outbox)));
  const queued = sum((group) => dueOf(group, outbox)) - working;
  const queuedMore = orMore(groups.some(({ unfinished }) => unfinished?.isBound === true));
  const delayed = sum((group) => group.delayed.count);
  const delayedMore = orMore(groups.some((group) => group.delayed.isBound));
  return [
    ...(working === 0 ? [] : [`${counted(working, "delivery is", "deliveries are")} in work`]),
    ...(queued === 0
      ? []
      : [
          `${count(queued)}${queuedMore} ${working === 0 ? `${verb(queued, "delivery", "deliveries")} ` : ""}${verb(queued, "waits", "wait")} in the queue`,
        ]),
    ...(outbox.rows === 0
      ? []
      : [`${counted(outbox.rows, "event")} ${verb(outbox.rows, "waits", "wait")} to be published`]),
    ...(retrying === 0 ? [] : [`${count(retrying)} ${verb(retrying, "waits for its", "wait for their")} next attempt`]),
    ...(delayed === 0
      ? []
      : [
          `${count(delayed)}${delayedMore} ${verb(delayed, "waits until its delay is", "wait until their delay is")} over`,
        ]),
  ];
};

const wellSentence = (facts: Facts): string => {
  const { groups } = facts;
  const [busiest] = groups.toSorted((left, right) => right.lastHour.total - left.lastHour.total);
  const open = openOf(facts).join(", ");
  if (busiest === undefined || busiest.lastHour.total === 0)
    return `All is well: ${open === "" ? "nothing waits" : open}`;
  const { total, medianMs = 0 } = busiest.lastHour;
  const flows = `${counted(total, nounOf(busiest.group))} in the last hour, half of them within ${duration(medianMs)}`;
  return `All is well: ${flows}${open === "" ? "" : `; ${open}`}`;
};

const RANK: Readonly<Record<Level, number>> = { trouble: 0, notice: 1, well: 2 };

/**
 * Says why, in sentences: the most important first, at least one. Pure, so that the command line, the console and health
 * answers say the same of the same facts.
 */
export const describe = (facts: Facts): readonly [Finding, ...Finding[]] => {
  const { groups, now, redis } = facts;
  const outages = ofOutages(groups, now);
  const findings = [
    ...ofSystem(facts),
    ...outages.filter(({ level }) => level === "trouble"),
    ...groups.flatMap((group) => ofFlow(group, now, redis)),
    // That a system works again explains less than a consumer that fell silent.
    ...outages.filter(({ level }) => level !== "trouble"),
    ...groups.flatMap((group) => ofRest(group, now)),
  ];
  const [first, ...others] = folded(findings.toSorted((left, right) => RANK[left.level] - RANK[right.level]));
  return first === undefined ? [{ level: "well", sentence: wellSentence(facts) }] : [first, ...others];
};
