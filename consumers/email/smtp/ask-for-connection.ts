import { jitteredMs } from "../../../runtime/backoff.ts";
import { pause } from "../../../runtime/loop.ts";
import { isAboutConnections } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";
import { SessionRefused, type SmtpSession } from "./session.ts";

/** Between two questions, in ms: half of it at least. */
const ASK_EVERY_MS = 1_000;

/**
 * Asks a server for a connection, without a mail, while others have all that it grants. Undefined: it is away, which the next
 * mail finds out, or the signal was aborted.
 */
export const askForConnection = async (
  open: () => Promise<SmtpSession>,
  { signal, onRefused }: { readonly signal: AbortSignal; readonly onRefused: (failure: SmtpFailure) => void },
): Promise<SmtpSession | undefined> => {
  for (;;) {
    await pause(jitteredMs(ASK_EVERY_MS, Math.random), signal);
    if (signal.aborted) return undefined;
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof SessionRefused) || !isAboutConnections(error.failure)) return undefined;
      onRefused(error.failure);
    }
  }
};
