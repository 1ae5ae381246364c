import { z } from "zod";

/** Fields by which log lines tell how many entries a consumer claimed, events the relay published, and so on. */
export const COUNTED = ["claimed", "relayed", "reconciled", "made"] as const;
export type Counted = (typeof COUNTED)[number];

/** Sums up what the log lines of all processes count. */
export interface LogSums {
  read(line: string): void;
  /** Sets all sums to 0: what is logged during the start proves nothing. */
  reset(): void;
  /** Of one group only, if given. */
  sum(field: Counted, group?: string): number;
}

const count = z.number().optional();
const lineSchema = z.object({
  group: z.string().optional(),
  claimed: count,
  relayed: count,
  reconciled: count,
  made: count,
});

const parsed = (line: string) => {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
};

export const createLogSums = (): LogSums => {
  const sums = new Map<Counted, Map<string, number>>();
  return {
    read(line) {
      const logged = parsed(line);
      if (logged === undefined) return;
      const { group = "" } = logged;
      for (const field of COUNTED) {
        const byGroup = sums.get(field) ?? new Map<string, number>();
        sums.set(field, byGroup.set(group, (byGroup.get(group) ?? 0) + (logged[field] ?? 0)));
      }
    },
    reset: () => sums.clear(),
    sum: (field, group) =>
      [...(sums.get(field) ?? [])].reduce(
        (total, [name, count]) => (group === undefined || name === group ? total + count : total),
        0,
      ),
  };
};
