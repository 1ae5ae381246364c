import { pause } from "../../runtime/loop.ts";
import { countUnfinished, isSettled } from "./audit.ts";
import type { FaultDeps } from "./fault.ts";
import type { Load } from "./load.ts";
import type { Run } from "./report.ts";
import { faultSequence } from "./sequence.ts";
import type { ChaosSystem } from "./system.ts";

export interface RunDeps extends FaultDeps {
  readonly load: Load;
  /** Told of each fault as it begins, and of the calm after it. */
  readonly onFault: (label: string) => void;
  readonly signal: AbortSignal;
}

const RECOVERY_TIMEOUT_MS = 60_000;
const SETTLE_TIMEOUT_MS = 120_000;
const CALM_MS = 1_500;
/** The faults without which a run proves nothing come first, and are never cut short. */
const LEAST_FAULTS = 5;

/** Breaks one thing after the other for `minutes`, and waits after each until mail flows again. */
export const runFaults = async (deps: RunDeps, seed: number, minutes: number): Promise<Run> => {
  const { onFault, signal } = deps;
  const run: Run = { seed, recoveries: new Map(), faults: 0, notRecovered: [] };
  const endAt = performance.now() + minutes * 60_000;
  for (const fault of faultSequence(deps)) {
    if (signal.aborted || (performance.now() > endAt && run.faults >= LEAST_FAULTS)) break;
    run.faults += 1;
    onFault(fault.label);
    await fault.inflict();
    await pause(fault.lastsMs, signal);
    await fault.heal();
    const tookMs = await recovery(deps);
    if (tookMs !== undefined) run.recoveries.set(fault.kind, [...(run.recoveries.get(fault.kind) ?? []), tookMs]);
    else if (!signal.aborted) run.notRecovered.push(fault.label);
    await pause(CALM_MS, signal);
    onFault("calm");
  }
  return run;
};

/** From the healing to the first mail of somebody who signed up after it, in ms. Undefined: not within a minute. */
const recovery = async ({ load, mailServer, signal }: RunDeps): Promise<number | undefined> => {
  const healedAt = performance.now();
  const mails = mailServer.taken.length;
  let signups = load.accepted.length;
  const fresh = new Set<string>();
  while (performance.now() - healedAt < RECOVERY_TIMEOUT_MS && !signal.aborted) {
    for (; signups < load.accepted.length; signups += 1) fresh.add(load.accepted[signups]?.eventId ?? "");
    // A mail may be there before the answer to its signup: it is looked at again.
    const isBack = mailServer.taken.slice(mails).some(({ eventId }) => fresh.has(eventId));
    if (isBack) return performance.now() - healedAt;
    await pause(50, signal);
  }
  return undefined;
};

/** Waits until nothing is under way any more, for two minutes at the most. */
export const untilSettled = async (system: ChaosSystem, signal: AbortSignal, say: (what: string) => void) => {
  const settleBy = performance.now() + SETTLE_TIMEOUT_MS;
  while (performance.now() < settleBy && !signal.aborted) {
    const left = await countUnfinished(system);
    if (isSettled(left)) return;
    say(`settling: ${JSON.stringify(left)}`);
    await pause(2_000, signal);
  }
};
