import type { SignOfLife } from "../../stream/scripts/beat.ts";
import type { Suspect } from "../../stream/scripts/claim.ts";
import type { Trial } from "../../stream/trials.ts";

/*
 * Poison is an entry that kills the process in which its work begins. The rules:
 *
 * 1. An entry with which two consumers died is a suspect: it may be poison, or have been in flight beside it. With what a consumer
 *    only kept, it did not die (`count-deaths.ts`).
 * 2. Suspects run apart: in a consumer that has nothing else in flight. Idle consumers run some each of those whose work has not begun
 *    in such a trial; the others run in one consumer of the group at a time. One consumer at least runs no suspects, if there are two.
 * 3. Up to ten run one by one. Of more, as after many deaths at once, as many run as there is room for; if the consumer dies,
 *    each of them runs alone.
 * 4. A death counts against the suspect that was alone, whose work had begun, and only if no other consumer died at about the
 *    same time: that would be the fleet's death, not the work's. A consumer that is heard of again has not died: while one
 *    that fell silent then may be heard of again, the suspect waits.
 * 5. Two such deaths make poison: one may be chance, as when an operator kills the consumer. Any outcome clears a suspect.
 *
 * So poison kills four consumers, five if it was one of more than ten; and one more if two that are poison kill idle consumers at the same time.
 */

/** Deliveries without an outcome after which an entry is a suspect. */
export const SUSPECT_AFTER = 2;
/** Deaths alone that make poison, after those that made it a suspect. */
export const POISON_AFTER = 2;

/** So many run one by one. */
const FEW = 10;

/** Consumers that died while the work of a suspect was under way in a trial. */
export interface Deaths {
  readonly alone: number;
  readonly inCompany: number;
  /** Another consumer fell silent at about the same time, so lately that it may only be late. */
  readonly isOpen: boolean;
}

export interface TriedSuspect extends Suspect {
  readonly deaths: Deaths;
  /** Its work has begun in a trial that had no outcome, whoever died. */
  readonly isTried: boolean;
}

/** The suspects that an idle consumer runs beside its peers, of some that it looked at, of `total` in all. Pure. */
export const nextOfIdle = (some: readonly TriedSuspect[], total: number, most: number): readonly TriedSuspect[] =>
  some.filter(({ isTried }) => !isTried).slice(0, total > FEW ? most : Math.min(1, most));

/** A consumer knows that it lives, however late its own sign of life is, as after it was frozen. Pure. */
export const asKnownTo = (consumer: string, signs: readonly SignOfLife[]): readonly SignOfLife[] =>
  signs.map((sign) => (sign.consumer === consumer ? { consumer, silentMs: 0 } : sign));

/**
 * Whether a consumer may run suspects: of the others that live, one at least runs none, or there are no others. One that was not heard of for half a threshold, and
 * says so every third of it, may have died with the rest; one that has said within a threshold that it runs suspects lives, whatever its sign of life is. Pure.
 * `signs`: of all of the group.
 */
export const leavesOneFree = (
  consumer: string,
  signs: readonly SignOfLife[],
  running: ReadonlySet<string>,
  thresholdMs: number,
): boolean => {
  const lives = (sign: SignOfLife): boolean => sign.silentMs < thresholdMs || running.has(sign.consumer);
  const others = signs.filter((sign) => sign.consumer !== consumer && lives(sign));
  return others.length === 0 || others.some((sign) => sign.silentMs < thresholdMs / 2 && !running.has(sign.consumer));
};

/** The suspects to run next, at most `most`. Those that have not been tried yet come first: most are innocent. Pure. */
export const nextTrial = (suspects: readonly TriedSuspect[], most: number): readonly TriedSuspect[] => {
  const judged = suspects.filter(({ deaths }) => !deaths.isOpen);
  const untried = judged.filter(({ deaths }) => deaths.alone + deaths.inCompany === 0);
  const candidates = untried.length > 0 ? untried : judged;
  return candidates.slice(0, untried.length > FEW ? most : Math.min(1, most));
};

/**
 * The deaths that count against a suspect. Pure. `signs`: of all consumers of the group.
 *
 * The deaths of a fleet are as close to each other as its consumers' signs of life, which are a third of the threshold apart;
 * those of poison are further apart, for it is claimed only a threshold after the last sign of life. So when the first of a fleet
 * has been silent for a threshold, the last one has been for two thirds at least; but so may be one that is late.
 */
export const deathsIn = (trials: readonly Trial[], signs: readonly SignOfLife[], thresholdMs: number): Deaths => {
  const silent = signs.filter(({ silentMs }) => silentMs >= (thresholdMs * 2) / 3);
  const deaths = trials.flatMap((trial) => {
    const one = silent.find(({ consumer }) => consumer === trial.consumer);
    if (one === undefined) return [];
    const company = silent.filter((each) => each !== one && Math.abs(each.silentMs - one.silentMs) < thresholdMs / 2);
    const isFleets = company.some(({ silentMs }) => silentMs >= thresholdMs);
    return isFleets ? [] : [{ size: trial.size, isOpen: company.length > 0 }];
  });
  const counted = deaths.filter(({ isOpen }) => !isOpen);
  const alone = counted.filter(({ size }) => size === 1).length;
  return { alone, inCompany: counted.length - alone, isOpen: counted.length < deaths.length };
};
