import { expect } from "bun:test";
import { eventually } from "./eventually.ts";
import { eventAt, type RunningProcess, type SignedUp, type System, signUpAt } from "./processes.ts";

/** How long work may take to flow after a promotion, in ms. */
const FLOWS_WITHIN_MS = 30_000;
const PAUSE_MS = 50;

/** Each was sent, and more than once only as often as it was uncertain. */
export const expectSent = async (system: System, api: RunningProcess, signups: readonly SignedUp[]): Promise<void> => {
  for (const { eventId } of signups) {
    await eventually(async () => (await eventAt(api, eventId)).state === "sent", FLOWS_WITHIN_MS);
    const { uncertain } = await eventAt(api, eventId);
    expect(system.mailServer.copiesOf(eventId)).toBeGreaterThanOrEqual(1);
    expect(system.mailServer.copiesOf(eventId)).toBeLessThanOrEqual(1 + uncertain);
  }
};

/**
 * Signs people up one after the other while `fault` runs, which resolves at the promotion, until a mail of somebody who signed up
 * after it was sent. Nobody may be refused, and each must get their mail. Returns how long the flow took, in ms.
 */
export const flowsAfter = async (
  what: string,
  { system, api }: { readonly system: System; readonly api: RunningProcess },
  fault: () => Promise<void>,
): Promise<number> => {
  const signups: SignedUp[] = [];
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      signups.push(await signUpAt(api));
      await Bun.sleep(PAUSE_MS);
    }
  })();
  try {
    await fault();
    const promotedAt = performance.now();
    const after = await signUpAt(api);
    signups.push(after);
    await eventually(async () => (await eventAt(api, after.eventId)).state === "sent", FLOWS_WITHIN_MS);
    const tookMs = Math.round(performance.now() - promotedAt);
    console.log(`${what}: a mail ${tookMs} ms after the promotion, beside ${signups.length} signups`);
    return tookMs;
  } finally {
    isOver = true;
    await load;
    expect(signups.filter(({ status }) => status !== 201)).toEqual([]);
    await expectSent(system, api, signups);
  }
};
