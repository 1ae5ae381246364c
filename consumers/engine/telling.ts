import { type Candidate, type Doubt, ODDS_OF_NEXT } from "./doubt.ts";

/** Chooses `count` items, evenly over all of them, the last one included: what was refused is in front. Pure. */
export const spread = <Item>(items: readonly Item[], count: number): readonly Item[] =>
  items.filter(
    (_, index) => Math.floor(((index + 1) * count) / items.length) > Math.floor((index * count) / items.length),
  );

/**
 * Chooses `count` of what is in doubt so that the answers tell most of what waits. Pure. A party's word is worth as much as pieces wait
 * for it, times its `odds`, and those of what was made next to its first piece; where several are worth the same, they are chosen evenly
 * over all of them. So strangers with one piece each, however many, do not hide one for whom many wait, nor does a single one that
 * refuses them all.
 */
export const mostTelling = <Each extends Pick<Candidate, "party" | "place">>(
  items: readonly Each[],
  count: number,
  { odds, oddsBeside }: Pick<Doubt, "odds" | "oddsBeside">,
): readonly Each[] => {
  if (items.length <= count) return items;
  const firstOdds = ([first]: readonly Each[]) => (first === undefined ? 1 : oddsBeside(first));
  const parties = [...Map.groupBy(items, (each) => each.party ?? each)].map(([party, members]) => ({
    members: members.values(),
    worth: members.length * (typeof party === "string" ? odds(party) : 1) * firstOdds(members),
  }));
  const chosen: Each[] = [];
  while (chosen.length < count) {
    const best = Math.max(...parties.map(({ worth }) => worth));
    const equals = parties.filter(({ worth }) => worth === best);
    for (const each of spread(equals, Math.min(equals.length, count - chosen.length))) {
      const next = each.members.next();
      if (next.done !== true) chosen.push(next.value);
      each.worth = next.done === true ? -1 : each.worth * ODDS_OF_NEXT;
    }
  }
  return chosen;
};

/** A party's answer tells of several when so many of its pieces wait, times its `odds`. */
const SEVERAL = 4;

/** Those whose answer tells of several pieces. Pure. */
export const tellingOfSeveral = <Each extends Pick<Candidate, "party">>(
  items: readonly Each[],
  { odds }: Pick<Doubt, "odds">,
): readonly Each[] =>
  [...Map.groupBy(items, ({ party }) => party)].flatMap(([party, members]) =>
    party !== undefined && members.length * odds(party) >= SEVERAL ? members : [],
  );
