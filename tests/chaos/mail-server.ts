import { type ArrivingMail, refusal, startMailServer } from "../mail-server.ts";

/** Ways in which a mail server misbehaves. */
export const MAIL_FAULTS = [
  "421 for every client",
  "451 greylisting",
  "452 too many",
  "552 mailbox full",
  "550 5.7.1 refused",
  "550 5.1.1 no such user",
  "535 at MAIL FROM",
  "reset before the 250, not accepted",
  "reset before the 250, accepted",
  "silence",
  "10 s late",
  "accepted, the 250 10 s late",
  "only one connection",
] as const;
export type MailFault = (typeof MAIL_FAULTS)[number];

/** What a mail is for, by its Message-ID. */
type MailKind = "welcome" | "confirmation" | "reminder";

export interface AcceptedMail {
  readonly eventId: string;
  readonly kind: MailKind;
  /** Of its link to confirm the address; empty without one. */
  readonly token: string;
  readonly to: string;
  /** The fault in force at the time. */
  readonly during: string;
}

export interface ChaoticMailServer extends AsyncDisposable {
  readonly port: number;
  readonly accepted: AcceptedMail[];
  /** Addresses that were refused for good. */
  readonly refused: ReadonlySet<string>;
  /** Connections made so far. */
  connections(): number;
  misbehave(fault: MailFault | undefined): void;
}

const LATE_MS = 10_000;
const MESSAGE_ID = /^Message-ID: <([0-9a-f-]{36})\.(?:welcome|(confirmation)|(reminder))@/m;
/** A line of its own, which quoted-printable continues. */
const TOKEN = /^([\w-]{72})=\r?$/m;

const kindOf = ([, , confirmation, reminder]: readonly (string | undefined)[]): MailKind =>
  confirmation === undefined ? (reminder === undefined ? "welcome" : "reminder") : "confirmation";

/** Answers at MAIL, by fault. */
const AT_MAIL: Partial<Record<MailFault, Error>> = {
  "421 for every client": refusal(421, "4.3.2 going down"),
  "535 at MAIL FROM": refusal(535, "5.7.8 authentication required"),
};

/** Answers at RCPT, by fault. */
const AT_RCPT: Partial<Record<MailFault, Error>> = {
  "421 for every client": refusal(421, "4.3.2 going down"),
  "451 greylisting": refusal(451, "4.7.1 come back later"),
  "452 too many": refusal(452, "4.5.3 too many"),
  "552 mailbox full": refusal(552, "5.2.2 mailbox full"),
  "550 5.7.1 refused": refusal(550, "5.7.1 refused"),
  "550 5.1.1 no such user": refusal(550, "5.1.1 no such user"),
};

const FINAL: readonly (MailFault | undefined)[] = ["550 5.7.1 refused", "550 5.1.1 no such user"];

/** The tests' mail server with one fault at a time; it records the mails that it accepted and the addresses that it refused for good. */
export const startChaoticMailServer = async (currentFault: () => string): Promise<ChaoticMailServer> => {
  const accepted: AcceptedMail[] = [];
  const refused = new Set<string>();
  let fault: MailFault | undefined;

  const beforeReply = async (raw: string, { to, connection }: ArrivingMail): Promise<void> => {
    const accept = () => {
      const id = MESSAGE_ID.exec(raw) ?? [];
      accepted.push({
        eventId: id[1] ?? "",
        kind: kindOf(id),
        token: TOKEN.exec(raw)?.[1] ?? "",
        to: to[0] ?? "",
        during: currentFault(),
      });
    };
    switch (fault) {
      case "reset before the 250, not accepted":
        return connection.reset();
      case "reset before the 250, accepted":
        accept();
        return connection.reset();
      case "silence":
        return new Promise(() => {});
      case "accepted, the 250 10 s late":
        accept();
        return Bun.sleep(LATE_MS);
      case "10 s late":
        await Bun.sleep(LATE_MS);
        if (connection.isOpen()) accept();
        return;
      default:
        accept();
    }
  };

  const server = await startMailServer({
    keepsMails: false,
    beforeReply,
    onConnect: ({ id }, done) => {
      if (fault === "silence") return;
      if (fault === "421 for every client") done(refusal(421, "4.3.2 going down"));
      else if (fault === "only one connection" && server.open()[0]?.id !== id) {
        done(refusal(421, "4.3.2 too many connections"));
      } else done();
    },
    onMailFrom: (_from, _session, done) => {
      if (fault !== "silence") done(fault === undefined ? null : AT_MAIL[fault]);
    },
    onRcptTo: ({ address }, _session, done) => {
      if (fault === "silence") return;
      if (FINAL.includes(fault)) refused.add(address);
      done(fault === undefined ? null : AT_RCPT[fault]);
    },
  });
  return {
    port: server.port,
    accepted,
    refused,
    connections: server.connections,
    misbehave(next) {
      const wasSilent = fault === "silence";
      fault = next;
      // A client that it never answered would wait for its own timeout.
      if (wasSilent) for (const connection of server.open()) connection.close();
    },
    [Symbol.asyncDispose]: server.close,
  };
};
