import { jitteredMs } from "../../../runtime/backoff.ts";
import { pause } from "../../../runtime/loop.ts";
import { isAboutConnections, probeAfterMs } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";
import { type MailSession, SessionRefused } from "./session.ts";

/** Longest time between two questions. */
const ASK_EVERY_MS = 1_000;

/**
 * Asks a server for a connection, without a mail, while others have all that it grants. Undefined: it is away, which the next
 * mail finds out, or the signal was aborted.
 */
export const askForConnection = async (
  open: () => Promise<MailSession>,
  { signal, onRefused }: { readonly signal: AbortSignal; readonly onRefused: (failure: SmtpFailure) => void },
): Promise<MailSession | undefined> => {
  const since = performance.now();
  for (;;) {
    const afterMs = Math.min(ASK_EVERY_MS, probeAfterMs(performance.now() - since));
    await pause(jitteredMs(afterMs, Math.random), signal);
    if (signal.aborted) return undefined;
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof SessionRefused) || !isAboutConnections(error.failure)) return undefined;
      onRefused(error.failure);
    }
  }
};
