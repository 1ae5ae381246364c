import { pause } from "../../runtime/loop.ts";
import type { Effects } from "./effects.ts";
import type { Fault, FaultDeps } from "./fault.ts";
import type { Load } from "./load.ts";
import { faultSequence, LEAST_FAULTS } from "./sequence.ts";
import type { ChaosSystem } from "./system.ts";
import { countUnfinished, leftovers } from "./unfinished.ts";

export interface RunDeps extends FaultDeps {
  readonly load: Load;
  /** Of each group that acts as soon as somebody has signed up. */
  readonly effects: readonly Effects[];
  /** Called with the label of each fault as it begins, and with `calm` after it. */
  readonly onFault: (label: string) => void;
  readonly signal: AbortSignal;
}

/** What happened during the faults. */
export interface Run {
  readonly seed: number;
  faults: number;
  /** Times from the healing to the next effect of each group, in ms, by kind of fault. */
  readonly recoveries: Recovery[];
  readonly notRecovered: string[];
  /** Faults during which a group stood still that they must not affect. */
  readonly notIndependent: string[];
  /** Faults during which a group was watched that they must not affect. */
  independent: number;
}

export interface Recovery {
  readonly kind: string;
  readonly group: string;
  readonly tookMs: number;
}

const RECOVERY_TIMEOUT_MS = 60_000;
const SETTLE_TIMEOUT_MS = 120_000;
const CALM_MS = 1_500;
/** Consumers notice a pause within about a second: only signups after that prove that a group is unaffected. */
const TAKES_EFFECT_MS = 1_500;
/** About what one fault takes: none begins so shortly before the end. */
const FAULT_MS = 5_000;

/** Injects one fault after the other for `minutes`, and waits after each until a new signup gets through each group. */
export const runFaults = async (deps: RunDeps, seed: number, minutes: number): Promise<Run> => {
  const { effects, onFault, signal } = deps;
  const run: Run = { seed, faults: 0, recoveries: [], notRecovered: [], notIndependent: [], independent: 0 };
  const endAt = performance.now() + minutes * 60_000 - FAULT_MS;
  for (const fault of faultSequence(deps)) {
    if (signal.aborted || (performance.now() > endAt && run.faults >= LEAST_FAULTS)) break;
    run.faults += 1;
    onFault(fault.label);
    await fault.inflict();
    await Promise.all([pause(fault.lastsMs, signal), watchUnaffected(deps, fault, run)]);
    await fault.heal();
    const recoveries = effects.map(async (each) => {
      const tookMs = await nextEffect(deps, each);
      if (tookMs !== undefined) run.recoveries.push({ kind: fault.kind, group: each.group, tookMs });
      else if (!signal.aborted) run.notRecovered.push(`${each.group} after ${fault.label}`);
    });
    await Promise.all(recoveries);
    await pause(CALM_MS, signal);
    onFault("calm");
  }
  return run;
};

const watchUnaffected = async (deps: RunDeps, { label, unaffected }: Fault, run: Run): Promise<void> => {
  const effects = deps.effects.find(({ group }) => group === unaffected);
  if (effects === undefined) return;
  run.independent += 1;
  await pause(TAKES_EFFECT_MS, deps.signal);
  const tookMs = await nextEffect(deps, effects);
  if (tookMs === undefined && !deps.signal.aborted) run.notIndependent.push(`${effects.group} during ${label}`);
};

/** The time until the group's first effect for a signup accepted from now on, in ms. Undefined: not within a minute. */
const nextEffect = async ({ load, signal }: RunDeps, effects: Effects): Promise<number | undefined> => {
  const startedAt = performance.now();
  const before = effects.read().length;
  let signups = load.accepted.length;
  const fresh = new Set<string>();
  while (performance.now() - startedAt < RECOVERY_TIMEOUT_MS && !signal.aborted) {
    for (; signups < load.accepted.length; signups += 1) fresh.add(load.accepted[signups]?.eventId ?? "");
    // An effect may precede the response to its signup, so all since the start are looked at each time.
    const isThere = effects
      .read()
      .slice(before)
      .some((eventId) => fresh.has(eventId));
    if (isThere) return performance.now() - startedAt;
    await pause(50, signal);
  }
  return undefined;
};

/** Waits until nothing is in progress, for two minutes at most. */
export const untilSettled = async (system: ChaosSystem, signal: AbortSignal, say: (what: string) => void) => {
  const settleBy = performance.now() + SETTLE_TIMEOUT_MS;
  while (performance.now() < settleBy && !signal.aborted) {
    const left = leftovers(await countUnfinished(system));
    if (left.length === 0) return;
    say(`settling: ${left.join(", ")}`);
    await pause(2_000, signal);
  }
};
