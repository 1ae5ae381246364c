import { pause } from "../runtime/loop.ts";

const TIMEOUT_MS = 30_000;
const POLL_EVERY_MS = 30;

/**
 * Resolves when the address answers with a status of 2xx.
 *
 * @throws an error when it does not within 30 s, or when the signal is aborted
 */
export const untilReady = async (what: string, url: string, signal: AbortSignal): Promise<void> => {
  const deadline = performance.now() + TIMEOUT_MS;
  let lastAnswer = "no answer";
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      if (response.ok) return;
      lastAnswer = `${response.status} ${await response.text()}`;
    } catch {
      // Not yet.
    }
    await pause(POLL_EVERY_MS, signal);
  }
  throw new Error(`${what} was not ready within ${TIMEOUT_MS / 1_000} s (${url}: ${lastAnswer})`);
};
