import type { ChaoticMailServer } from "./mail-server.ts";
import type { Random } from "./random.ts";
import type { ChaosSystem } from "./system.ts";

/** One fault: it is brought about, lasts, and is healed. */
export interface Fault {
  /** Its kind, for the table of recovery times. */
  readonly kind: string;
  readonly label: string;
  readonly lastsMs: number;
  /** The parts that it befalls: two faults at a time never share one. */
  readonly parts: readonly string[];
  inflict(): Promise<void>;
  heal(): Promise<void>;
}

/** What faults are brought about with. */
export interface FaultDeps {
  readonly system: ChaosSystem;
  readonly mailServer: ChaoticMailServer;
  readonly random: Random;
}

/** What is over with its inflicting has nothing to heal. */
export const nothing = async (): Promise<void> => {};

/** Whether the two can be brought about at a time. */
export const areApart = (first: Fault, second: Fault): boolean =>
  !first.parts.some((part) => second.parts.includes(part));

/** The second begins `gapMs` after the first; they are healed one after the other. */
export const bothOf = (first: Fault, second: Fault, gapMs: number): Fault => ({
  kind: "two at a time",
  label: `${first.label} + ${second.label}`,
  lastsMs: Math.max(first.lastsMs, second.lastsMs),
  parts: [...first.parts, ...second.parts],
  inflict: async () => {
    await first.inflict();
    await Bun.sleep(gapMs);
    await second.inflict();
  },
  heal: async () => {
    await first.heal();
    await second.heal();
  },
});
