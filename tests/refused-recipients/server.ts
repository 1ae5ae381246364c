import type { SmtpFailure } from "../../consumers/email/smtp/failure.ts";
import type { SendResult } from "../../consumers/email/smtp/outgoing-mail.ts";
import { type MailSession, type OpenSession, SessionRefused } from "../../consumers/email/smtp/session.ts";
import type { Answer } from "./shapes.ts";

/** Waits so long, for ever if not given; true if the signal was aborted first. */
const waited = (ms: number | undefined, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(true);
    const timer = ms === undefined ? undefined : setTimeout(() => end(false), ms);
    const end = (isAborted: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(isAborted);
    };
    const onAbort = () => end(true);
    signal.addEventListener("abort", onAbort);
  });

/** From the commands of a mail to their answers, in ms. */
const ROUND_TRIP_MS = 1;

/** The connections of a server that takes each mail after so many ms, and gives those that are refused an answer. */
export const simulatedServer = (options: {
  readonly at: "rcpt" | "data" | "whole";
  readonly mailMs: number;
  readonly greetingMs: number;
  readonly answerTo: (address: string) => Answer | undefined;
  readonly onTaken: (address: string) => void;
}): OpenSession => {
  const { at, mailMs, greetingMs, answerTo, onTaken } = options;
  return async (_server, _timeoutMs, opening) => {
    if (await waited(greetingMs, opening)) {
      throw new SessionRefused(Object.assign(new Error("cancelled"), { code: "ECALLEDBACK" }));
    }
    let isUsable = true;
    const session = {
      get isUsable() {
        return isUsable;
      },
      sends: 0,
      idleSince: 0,
      quit: async () => {
        isUsable = false;
      },
      async send(mail, signal, abortCode): Promise<SendResult> {
        session.sends += 1;
        let given = answerTo(mail.to);
        let lateMs = 0;
        const failed = (command: string, bodyStarted: boolean, { code = "EENVELOPE", reply }: Partial<SmtpFailure>) => {
          const responseCode = reply === undefined ? undefined : Number(reply.slice(0, 3));
          if (reply === undefined) isUsable = false;
          return {
            kind: "failed",
            failure: { code, command, reply, responseCode, cause: undefined, bodyStarted },
          } as const;
        };
        const refused = async ({ afterMs = 0, reply, ends }: Answer, command: string, bodyStarted: boolean) => {
          const isSilent = reply === undefined && ends === undefined;
          if (await waited(isSilent ? undefined : afterMs, signal)) {
            return failed(command, bodyStarted, { code: abortCode() });
          }
          return failed(command, bodyStarted, reply === undefined ? { code: "ESOCKET" } : { reply });
        };
        if (await waited(ROUND_TRIP_MS, signal)) return failed("RCPT TO", false, { code: abortCode() });
        if (given?.reply === undefined && given?.ends === undefined && given?.afterMs !== undefined) {
          // Late, and as usual.
          if (at === "whole") lateMs = given.afterMs;
          else if (await waited(given.afterMs, signal)) return failed("RCPT TO", false, { code: abortCode() });
          given = undefined;
        }
        if (given !== undefined && at === "rcpt") return refused(given, "RCPT TO", false);
        if (given !== undefined && at === "data") return refused(given, "DATA", false);
        if (!mail.beforeBody()) return failed("CONN", false, { code: "ECALLEDBACK" });
        if (given !== undefined) return refused(given, "DATA", true);
        if (await waited(mailMs + lateMs, signal)) return failed("DATA", true, { code: abortCode() });
        onTaken(mail.to);
        return { kind: "accepted", reply: "250 2.0.0 taken" };
      },
    } satisfies MailSession;
    return session;
  };
};
