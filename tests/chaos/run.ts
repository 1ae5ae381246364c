import { pause } from "../../runtime/loop.ts";
import { eventually } from "../eventually.ts";
import type { Effects } from "./effects.ts";
import { type Fault, type FaultDeps, nothing } from "./fault.ts";
import { faultSequence, faultsOfKind, LEAST_FAULTS } from "./sequence.ts";
import type { ChaosSystem } from "./system.ts";
import { countUnfinished, leftovers } from "./unfinished.ts";

export interface RunDeps extends FaultDeps {
  /** Of each group that acts as soon as somebody has signed up. */
  readonly effects: readonly Effects[];
  /** Called with the label of each fault as it begins, and with `calm` after it. */
  readonly onFault: (label: string) => void;
  /** Tells what a fault broke, as soon as it is known. */
  readonly say: (what: string) => void;
  /** Ends the faults; what is broken is healed. */
  readonly signal: AbortSignal;
}

/** When a run ends: at the first of these. */
export interface Limits {
  readonly minutes: number;
  readonly signups: number;
  readonly faults: number;
  /** Part of the kind of the only faults that are injected. */
  readonly only: string | undefined;
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
  /** What faults broke, by their own account. */
  readonly broken: string[];
  /** Ended before its time, or made of some faults only: what it did not provoke proves nothing. */
  isPartial: boolean;
}

export interface Recovery {
  readonly kind: string;
  readonly group: string;
  readonly tookMs: number;
}

const RECOVERY_TIMEOUT_MS = 60_000;
/** Longer than the longest delay after failures of the system, which a mail has that several faults met. */
const SETTLE_TIMEOUT_MS = 330_000;
const CALM_MS = 1_500;
/** Consumers notice a pause within about a second: only signups after that prove that a group is unaffected. */
const TAKES_EFFECT_MS = 1_500;
/** About what one fault takes besides its own time: none begins so shortly before the end. */
const FAULT_MS = 5_000;

/** Injects one fault after the other, and waits after each until a new signup gets through each group. */
export const runFaults = async (deps: RunDeps, seed: number, limits: Limits): Promise<Run> => {
  const { load, signal } = deps;
  const run: Run = {
    seed,
    faults: 0,
    recoveries: [],
    notRecovered: [],
    notIndependent: [],
    independent: 0,
    broken: [],
    isPartial: limits.only !== undefined,
  };
  const endAt = performance.now() + limits.minutes * 60_000 - FAULT_MS;
  const isOver = () =>
    run.faults >= limits.faults ||
    load.accepted.length >= limits.signups ||
    (performance.now() > endAt && (run.isPartial || run.faults >= LEAST_FAULTS));
  for (const fault of limits.only === undefined ? faultSequence(deps) : faultsOfKind(deps, limits.only)) {
    if (signal.aborted || isOver()) break;
    const isTooLong = run.faults >= LEAST_FAULTS && performance.now() + fault.lastsMs > endAt + FAULT_MS;
    if (isTooLong) continue;
    run.faults += 1;
    await injectOne(deps, fault, run);
  }
  if (signal.aborted) run.isPartial = true;
  return run;
};

const injectOne = async (deps: RunDeps, fault: Fault, run: Run): Promise<void> => {
  const { effects, onFault, signal } = deps;
  const say = (what: string) => {
    run.broken.push(`${fault.label}: ${what}`);
    deps.say(`BROKEN: ${what}`);
  };
  onFault(fault.label);
  try {
    await fault.inflict();
    await Promise.all([pause(fault.lastsMs, signal), watchUnaffected(deps, fault, run)]);
    await fault.heal();
  } catch (error) {
    // The hours before it are worth their audit.
    say(`not inflicted as planned: ${String(error)}`);
    await fault.heal().catch((again: unknown) => say(`not healed: ${String(again)}`));
  }
  const recoveries = effects.map(async (each) => {
    const tookMs = await nextEffect(deps, each);
    if (tookMs !== undefined) run.recoveries.push({ kind: fault.kind, group: each.group, tookMs });
    else if (!signal.aborted) run.notRecovered.push(`${each.group} after ${fault.label}`);
  });
  await Promise.all(recoveries);
  await untilApisAnswer(deps.system).catch(() => say("an API did not answer again"));
  const broken = await fault.verify?.().catch((error: unknown) => [`not verified: ${String(error)}`]);
  for (const what of broken ?? []) say(what);
  await pause(CALM_MS, signal);
  onFault("calm");
};

/** Else what the next fault breaks is not told apart from what an API refuses that is still starting. */
const untilApisAnswer = (system: ChaosSystem): Promise<boolean> =>
  eventually(async () => {
    const apis = system.victims.filter(({ kind }) => kind === "api");
    const answers = await Promise.all(apis.map(({ url }) => fetch(`${url}/livez`).then(({ ok }) => ok, nothing)));
    return answers.every((ok) => ok === true);
  }, RECOVERY_TIMEOUT_MS);

const watchUnaffected = async (deps: RunDeps, fault: Fault, run: Run): Promise<void> => {
  const { label, unaffected, unaffectedWithinMs = RECOVERY_TIMEOUT_MS } = fault;
  const effects = deps.effects.find(({ group }) => group === unaffected);
  if (effects === undefined) return;
  run.independent += 1;
  // Again and again: the first may have been on its way when the fault began.
  const endAt = performance.now() + fault.lastsMs;
  do {
    await pause(TAKES_EFFECT_MS, deps.signal);
    const tookMs = await nextEffect(deps, effects, unaffectedWithinMs);
    if (tookMs !== undefined || deps.signal.aborted) continue;
    run.notIndependent.push(`${effects.group} during ${label}, within ${unaffectedWithinMs} ms`);
    return;
  } while (performance.now() < endAt && !deps.signal.aborted);
};

/** The time until the group's first effect for a signup accepted from now on, in ms. Undefined: not within the time. */
const nextEffect = async (
  { load, signal }: RunDeps,
  effects: Effects,
  timeoutMs = RECOVERY_TIMEOUT_MS,
): Promise<number | undefined> => {
  const startedAt = performance.now();
  const before = effects.read().length;
  let signups = load.accepted.length;
  const fresh = new Set<string>();
  while (performance.now() - startedAt < timeoutMs && !signal.aborted) {
    for (; signups < load.accepted.length; signups += 1) fresh.add(load.accepted[signups]?.eventId ?? "");
    // An effect may precede the response to its signup, so all since the start are looked at each time.
    const all = effects.read();
    for (let index = before; index < all.length; index += 1) {
      if (fresh.has(all[index] ?? "")) return performance.now() - startedAt;
    }
    await pause(50, signal);
  }
  return undefined;
};

export interface SettleDeps extends Pick<FaultDeps, "system" | "operator"> {
  readonly signal: AbortSignal;
  readonly say: (what: string) => void;
}

/** Waits until nothing is in progress, for five and a half minutes at most after the last progress. What is held is released. */
export const untilSettled = async ({ system, operator, signal, say }: SettleDeps): Promise<void> => {
  let least = Number.POSITIVE_INFINITY;
  let settleBy = performance.now() + SETTLE_TIMEOUT_MS;
  while (performance.now() < settleBy && !signal.aborted) {
    const unfinished = await countUnfinished(system);
    const left = leftovers(unfinished);
    if (left.length === 0) return;
    say(`settling: ${left.join(", ")}`);
    await operator.releaseHeld();
    const deliveries = [...(unfinished?.byGroup.values() ?? [])].reduce((sum, each) => sum + each.deliveries, 0);
    if (unfinished !== undefined && deliveries < least) {
      least = deliveries;
      settleBy = performance.now() + SETTLE_TIMEOUT_MS;
    }
    await pause(2_000, signal);
  }
};
