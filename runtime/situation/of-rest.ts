import { areHeld, deadLettersOf } from "../../observability/sentences.ts";
import { counted, duration } from "../quantity.ts";
import type { GroupFacts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { nounOf, timeOf, verb, waitingSafely } from "./words.ts";

const untilWhen = (firstUntil: Date | null, now: Date): string =>
  firstUntil === null
    ? "until somebody decides"
    : `for a while, the first for ${duration(Math.max(0, firstUntil.getTime() - now.getTime()))}`;

/** Held because the other side refused everything: by itself each comes back late, and all at once by a release. */
const RELEASED_ONCE_ACCEPTED: ReadonlySet<string> = new Set(["party_refuses", "account_refused"]);

/** What flows past, and somebody should look at. */
export const ofRest = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, held, dead, latestDead } = group;
  const noun = nounOf(name);
  const latest =
    latestDead === undefined
      ? ""
      : `, ${verb(dead, "of", "the latest of")} ${timeOf(latestDead.at, now)} (${latestDead.reason})`;
  return [
    ...(group.exists
      ? []
      : [
          {
            level: "trouble" as const,
            group: name,
            sentence: `The group ${name} is missing in Redis${waitingSafely(group)}`,
            remedy: "look again in 6 s: an api that runs makes missing groups by then; if it stays so, start one",
            cause: "missing",
          },
        ]),
    ...held.map(({ reason, count: value, firstUntil }) => ({
      level: "notice" as const,
      group: name,
      sentence: `${areHeld(counted(value, noun), verb(value, "is", "are"), name, reason)} ${untilWhen(firstUntil, now)}`,
      reason,
      remedy: RELEASED_ONCE_ACCEPTED.has(reason)
        ? `once it accepts mail again: ops held release --group ${name} --reason ${reason}`
        : `ops held list --group ${name}`,
      see: "held" as const,
    })),
    ...(dead === 0
      ? []
      : [
          {
            level: "notice" as const,
            group: name,
            sentence: `${deadLettersOf(counted(dead, "dead letter"), name)}${latest}`,
            remedy: `ops dead list --group ${name}`,
            see: "dead" as const,
            ...(latestDead === undefined ? {} : { cause: `dead ${latestDead.reason}`, reason: latestDead.reason }),
          },
        ]),
  ];
};
