import type { SmtpFailure } from "./failure.ts";
import { keptReply } from "./kept-reply.ts";
import { limitIn } from "./limit-words.ts";

/** What the server said last, for people, without the recipient. */
export interface Words {
  /** It limits the mails in a time, or connections beside some that work. */
  limited(failure: SmtpFailure, to: string, of: "mails" | "connections"): void;
  /** It has refused a connection where there is no other one. */
  refused(failure: SmtpFailure, to: string): void;
  /** A connection works. */
  works(): void;
  /** Of its limits; `isWithout`: of connections only, since that is what is missing. */
  ofLimit(isWithout: boolean): string | undefined;
  /** To the last connection that was refused, if it spoke of no limit. */
  ofRefusal(): string | undefined;
}

export const createWords = (): Words => {
  let ofMails: string | undefined;
  let ofConnections: string | undefined;
  let ofRefusal: string | undefined;

  return {
    limited: ({ reply }, to, of) => {
      if (reply === undefined) return;
      if (of === "mails") ofMails = keptReply(reply, to);
      else ofConnections = keptReply(reply, to);
    },
    refused: (failure, to) => {
      const words = failure.reply === undefined ? undefined : keptReply(failure.reply, to);
      const isOfLimit = limitIn(failure) === "connections";
      // What was said of a limit before does not explain another refusal.
      ofConnections = isOfLimit ? words : undefined;
      ofRefusal = isOfLimit ? undefined : words;
    },
    works: () => {
      ofRefusal = undefined;
    },
    ofLimit: (isWithout) => (isWithout ? ofConnections : (ofMails ?? ofConnections)),
    ofRefusal: () => ofRefusal,
  };
};
