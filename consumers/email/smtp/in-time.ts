import type { EndCode } from "./failure.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import type { Sending } from "./sending.ts";

/**
 * Sends a mail within its time: so long for a connection, and as long from then on. `underWay` has what ends it. An abort of the signal cancels it, unless its body
 * has started: that ends by its reply, or by the deadline.
 */
export const inTime = async <Result>(
  mail: OutgoingMail,
  signal: AbortSignal,
  { deadlineMs, underWay }: { readonly deadlineMs: number; readonly underWay: Set<AbortController> },
  send: (mail: OutgoingMail, sending: Sending) => Promise<Result>,
): Promise<Result> => {
  const end = new AbortController();
  underWay.add(end);
  let code: EndCode = "EDEADLINE";
  let bodyStarted = false;
  const endBy = (reason: EndCode) => {
    code = reason;
    end.abort();
  };
  const cancel = () => {
    if (!bodyStarted) endBy("ECALLEDBACK");
  };
  let timer: Timer | undefined;
  const limitTime = () => {
    clearTimeout(timer);
    timer = setTimeout(() => end.abort(), deadlineMs);
  };
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  limitTime();
  try {
    const watched: OutgoingMail = {
      ...mail,
      beforeBody: () => {
        bodyStarted = mail.beforeBody();
        return bodyStarted;
      },
    };
    const dialogue = { failures: mail.failures ?? 0, cut: () => endBy("ETOOSLOW") };
    return await send(watched, { signal: end.signal, code: () => code, dialogue, hasConnection: limitTime });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
    underWay.delete(end);
  }
};
