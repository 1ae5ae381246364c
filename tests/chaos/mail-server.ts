import { type ArrivingMail, refusal, startMailServer } from "../mail-server.ts";
import { createRecordedMails, type RecordedMails } from "./recorded-mails.ts";

/** Ways in which a mail server misbehaves towards everybody, for seconds. */
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

/** Weather that lasts: longer than the retries of a single mail. */
export const MAIL_WEATHER = [
  "451 4.3.0 to everybody",
  "451 4.7.1 to everybody",
  "account refused",
  "login refused",
  "slow drains",
] as const;

/** How the mails to one domain are answered at RCPT, while all others are accepted. */
export const DOMAIN_ANSWERS = ["550 5.7.1", "451 4.7.1", "421 4.7.0"] as const;

export type MailFault =
  | (typeof MAIL_FAULTS)[number]
  | (typeof MAIL_WEATHER)[number]
  /** Connections beyond a number are refused by 421, or closed without a word. Each mail takes so long. */
  | { readonly connections: number; readonly beyond: "421" | "closed"; readonly drainMs?: number }
  | { readonly domain: string; readonly answer: (typeof DOMAIN_ANSWERS)[number] };

export interface ChaoticMailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: RecordedMails;
  /** Addresses that were refused for good, by a refusal that concerns them or their domain, or by a bounce. */
  readonly refused: ReadonlySet<string>;
  /** Addresses that were refused for good while the whole account was. */
  readonly refusedWithAccount: ReadonlySet<string>;
  /** How often the whole account was refused for a while. */
  accountRefusals(): number;
  /** Connections made so far. */
  connections(): number;
  /** Logins that were refused so far. */
  refusedLogins(): number;
  /** When a recipient was refused last as everybody was. Monotonic, ms. */
  refusedAllAt(): number;
  /** A mail to the address was accepted, and comes back: it counts as refused for good. */
  comesBack(address: string): void;
  misbehave(fault: MailFault | undefined): void;
}

const LATE_MS = 10_000;
const DRAIN_MS = { min: 500, max: 5_000 } as const;
const GOING_DOWN = refusal(421, "4.3.2 going down");
const TOO_MANY = refusal(421, "4.3.2 too many connections");
const NO_LOGIN = refusal(535, "5.7.8 bad credentials");

/** Answers at MAIL, by fault. */
const AT_MAIL: Readonly<Record<string, Error>> = {
  "421 for every client": GOING_DOWN,
  "535 at MAIL FROM": refusal(535, "5.7.8 authentication required"),
};

/** Answers at RCPT, by fault. */
const AT_RCPT: Readonly<Record<string, Error>> = {
  "421 for every client": GOING_DOWN,
  "451 greylisting": refusal(451, "4.7.1 come back later"),
  "452 too many": refusal(452, "4.5.3 too many"),
  "552 mailbox full": refusal(552, "5.2.2 mailbox full"),
  "550 5.7.1 refused": refusal(550, "5.7.1 refused"),
  "550 5.1.1 no such user": refusal(550, "5.1.1 no such user"),
  "451 4.3.0 to everybody": refusal(451, "4.3.0 try again later"),
  "451 4.7.1 to everybody": refusal(451, "4.7.1 come back later"),
  "account refused": refusal(550, "5.7.1 account suspended"),
};

const FOR_DOMAIN: Readonly<Record<(typeof DOMAIN_ANSWERS)[number], Error>> = {
  "550 5.7.1": refusal(550, "5.7.1 we want no mail of yours"),
  "451 4.7.1": refusal(451, "4.7.1 come back later"),
  "421 4.7.0": refusal(421, "4.7.0 try again later"),
};

const FINAL: readonly (MailFault | undefined)[] = ["550 5.7.1 refused", "550 5.1.1 no such user"];

export const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1);

export interface MailServerOptions {
  readonly currentFault: () => string;
  /** From 0, less than 1: how long a slow drain takes. */
  readonly random: () => number;
}

/** The tests' mail server with one fault at a time; it records the mails that it accepted and the addresses that it refused for good. */
export const startChaoticMailServer = async ({
  currentFault,
  random,
}: MailServerOptions): Promise<ChaoticMailServer> => {
  const mails = createRecordedMails();
  const refused = new Set<string>();
  const refusedWithAccount = new Set<string>();
  const granted = new Set<string>();
  let fault: MailFault | undefined;
  let accountRefusals = 0;
  let refusedLogins = 0;
  let refusedAllAt = Number.NEGATIVE_INFINITY;

  const named = (): string => (typeof fault === "string" ? fault : "");

  const beforeReply = async (raw: string, { to, connection }: ArrivingMail): Promise<void> => {
    const accept = () => mails.record({ raw, to: to[0] ?? "", during: currentFault() });
    if (typeof fault === "object" && "drainMs" in fault) await Bun.sleep(fault.drainMs ?? 0);
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
      case "slow drains":
        await Bun.sleep(DRAIN_MS.min + random() * (DRAIN_MS.max - DRAIN_MS.min));
        return accept();
      default:
        accept();
    }
  };

  /** Undefined: accepted. */
  const atRcpt = (address: string): Error | undefined => {
    if (typeof fault === "object") {
      if (!("domain" in fault) || domainOf(address) !== fault.domain) return undefined;
      if (fault.answer === "550 5.7.1") refused.add(address);
      return FOR_DOMAIN[fault.answer];
    }
    if (fault === "account refused") refusedWithAccount.add(address);
    if (FINAL.includes(fault)) refused.add(address);
    const answer = AT_RCPT[named()];
    if (answer !== undefined) refusedAllAt = performance.now();
    return answer;
  };

  const grantedNow = () => server.open().filter((connection) => granted.has(connection.id)).length;

  const server = await startMailServer({
    keepsMails: false,
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => {
      if (fault === "login refused") {
        refusedLogins += 1;
        return done(NO_LOGIN);
      }
      done(null, { user: "chaos" });
    },
    beforeReply,
    onConnect: ({ id }, done) => {
      if (fault === "silence") return;
      if (fault === "421 for every client") return done(GOING_DOWN);
      if (fault === "only one connection" && server.open()[0]?.id !== id) return done(TOO_MANY);
      if (typeof fault === "object" && "connections" in fault && grantedNow() >= fault.connections) {
        if (fault.beyond === "421") return done(TOO_MANY);
        return server
          .open()
          .find((connection) => connection.id === id)
          ?.close();
      }
      granted.add(id);
      done();
    },
    onClose: ({ id }) => void granted.delete(id),
    onMailFrom: (_from, _session, done) => {
      if (fault !== "silence") done(AT_MAIL[named()]);
    },
    onRcptTo: ({ address }, _session, done) => {
      if (fault !== "silence") done(atRcpt(address));
    },
  });
  return {
    port: server.port,
    mails,
    refused,
    refusedWithAccount,
    accountRefusals: () => accountRefusals,
    connections: server.connections,
    refusedLogins: () => refusedLogins,
    refusedAllAt: () => refusedAllAt,
    comesBack: (address) => void refused.add(address),
    misbehave(next) {
      const wasSilent = fault === "silence";
      fault = next;
      if (next === "account refused") accountRefusals += 1;
      // A client that it never answered would wait for its own timeout.
      if (wasSilent) for (const connection of server.open()) connection.close();
      // Who has logged in before would go on.
      if (next === "login refused") for (const connection of server.open()) connection.close();
      // The limit holds for what is connected already, too.
      if (typeof next === "object" && "connections" in next) {
        for (const connection of server.open().slice(next.connections)) connection.close();
      }
    },
    [Symbol.asyncDispose]: server.close,
  };
};
