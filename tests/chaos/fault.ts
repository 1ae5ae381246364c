import type { Load } from "./load.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import type { ChaosOperator } from "./operator.ts";
import type { Random } from "./random.ts";
import type { ChaosSystem } from "./system.ts";
import type { ChaoticReceiver } from "./webhook-receiver.ts";

/** One fault: it is inflicted, lasts, and is healed. */
export interface Fault {
  /** Its kind, for the table of recovery times. */
  readonly kind: string;
  readonly label: string;
  readonly lastsMs: number;
  /** The parts that it affects: two faults at a time never share one. */
  readonly parts: readonly string[];
  /** A group that it must not affect: new signups get through it while the fault lasts. Only checked of a single fault. */
  readonly unaffected?: string;
  /** Within this time after each other. A minute if not given. */
  readonly unaffectedWithinMs?: number;
  inflict(): Promise<void>;
  heal(): Promise<void>;
  /** What it has broken, in words. Asked after the recovery, and only of a single fault. */
  verify?(): Promise<readonly string[]>;
}

/** What faults act on. */
export interface FaultDeps {
  readonly system: ChaosSystem;
  readonly mailServer: ChaoticMailServer;
  readonly receiver: ChaoticReceiver;
  readonly operator: ChaosOperator;
  readonly load: Load;
  readonly random: Random;
}

/** The healing of a fault that ends by itself. */
export const nothing = async (): Promise<void> => {};

/** Whether the two can be inflicted at a time. */
export const areApart = (first: Fault, second: Fault): boolean =>
  !first.parts.some((part) => second.parts.includes(part));

/** The second begins `gapMs` after the first; they are healed together: the healing of one may need what the other took away. */
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
    await Promise.all([second.heal(), first.heal()]);
  },
});
