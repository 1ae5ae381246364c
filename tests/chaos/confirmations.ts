import type { Sql } from "postgres";
import { pause } from "../../runtime/loop.ts";
import { USER_CONFIRMATION_REQUESTED } from "../../stream/events/user-confirmation-requested.ts";
import { USER_EMAIL_VERIFIED } from "../../stream/events/user-email-verified.ts";
import { openForAudit } from "./database.ts";
import { GROUPS_OF_VERIFIED, MAIL, REMINDER } from "./groups.ts";
import { createUsers, follow, type UsersOptions } from "./users.ts";

/** What users who confirm their address, and users who ask for another link, were promised, and got. */
export interface ConfirmationAudit {
  /** Users whom an API told that their address is confirmed. */
  readonly confirmed: number;
  /** Of those, the ones of whom Postgres knows nothing. */
  readonly forgotten: readonly string[];
  /** Confirmed users without exactly one event that has one delivery per group. */
  readonly incomplete: readonly string[];
  /** Requests for another link that were answered by 202, of users and of strangers. */
  readonly asked: number;
  /** Answers by which a caller could tell who exists. */
  readonly telling: readonly string[];
  /** Users who asked, and for whom another number of mails was ordered than the limit allows. */
  readonly wronglyOrdered: readonly string[];
  /** Mails to addresses that nobody signed up with. */
  readonly toStrangers: readonly string[];
}

export interface Confirmations {
  stop(): Promise<void>;
  audit(): Promise<ConfirmationAudit>;
}

const TIMEOUT_MS = 10_000;
/** Within the time that the limit of one mail a minute counts. */
const ASK_AGAIN_AFTER_MS = 500;
const CONFIRMING_SHARE = 0.3;
const ASKING_SHARE = 0.1;
const STRANGER = "stranger-";

const CONFIRMED = /Your email address is confirmed\.|This email address was confirmed before\./;

const incompleteUsers = (sql: Sql): Promise<{ readonly email: string }[]> => sql`
  select email from users
    left join events on events.subject = users.id::text and events.type = ${USER_EMAIL_VERIFIED}
    left join deliveries using (event_id)
  where email_verified_at is not null
  group by users.id having count(distinct event_id) <> 1 or
    array_agg(group_name order by group_name) is distinct from ${GROUPS_OF_VERIFIED}::text[]`;

const orderedMails = (sql: Sql): Promise<{ readonly email: string; readonly ordered: number }[]> => sql`
  select email, count(*)::int as ordered from users join events on events.subject = users.id::text
  where events.type = ${USER_CONFIRMATION_REQUESTED} group by users.id`;

/**
 * Some users press the button of the link in their welcome mail, some of them within the delay of the reminder; some, and
 * strangers, ask for another link, twice within the minute for which one mail is allowed.
 */
export const startConfirmations = (options: UsersOptions): Confirmations => {
  const { urls, databaseUrl, mailServer, load, random } = options;
  const confirmed = new Set<string>();
  const pressed = new Set<string>();
  /** Of answers by 202. */
  const bodies = new Set<string>();
  const asked = new Set<string>();
  const refusals = new Set<string>();
  let accepted = 0;
  const users = createUsers(random);
  let strangers = 0;

  const post = async (path: string, body: URLSearchParams | string): Promise<Response | undefined> => {
    const type = typeof body === "string" ? "application/json" : "application/x-www-form-urlencoded";
    try {
      return await fetch(`${random.pick(urls)}${path}`, {
        method: "POST",
        headers: { "Content-Type": type },
        body: String(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      return undefined;
    }
  };
  const textOf = (response: Response | undefined) => response?.text().catch(() => undefined);

  const confirm = async (email: string, token: string): Promise<void> => {
    const page = await textOf(await post("/confirm?lang=en", new URLSearchParams({ token })));
    if (page !== undefined && CONFIRMED.test(page)) confirmed.add(email);
  };
  const count = (status: number, body: string, user: string | undefined): void => {
    if (status !== 202) {
      if (status < 500) refusals.add(String(status));
      return;
    }
    accepted += 1;
    bodies.add(body);
    if (user !== undefined) asked.add(user);
  };
  const ask = async (email: string, isUser: boolean): Promise<void> => {
    for (let times = 0; times < 2; times += 1) {
      const response = await post("/api/v1/user/resend", JSON.stringify({ email }));
      const body = await textOf(response);
      if (response !== undefined && body !== undefined) count(response.status, body, isUser ? email : undefined);
      await pause(ASK_AGAIN_AFTER_MS, users.signal);
    }
  };
  const lookAtMails = (): void => {
    for (const { to, token } of mailServer.mails.takeLinks()) {
      if (pressed.has(to) || random.next() >= CONFIRMING_SHARE) continue;
      pressed.add(to);
      users.later(() => confirm(to, token));
    }
  };
  const lookAtSignups = follow(load.accepted, ({ email }) => {
    if (random.next() >= ASKING_SHARE) return;
    strangers += 1;
    const stranger = `${STRANGER}${strangers}@inbox.example`;
    users.later(() => ask(email, true));
    users.later(() => ask(stranger, false));
  });
  users.start(() => {
    lookAtMails();
    lookAtSignups();
  });

  return {
    stop: users.stop,
    async audit() {
      const sql = openForAudit(databaseUrl);
      const verified = await sql<{ email: string }[]>`select email from users where email_verified_at is not null`;
      const incomplete = await incompleteUsers(sql);
      const ordered = new Map((await orderedMails(sql)).map(({ email, ordered: count }) => [email, count]));
      await sql.end();
      const isVerified = new Set(verified.map(({ email }) => email));
      return {
        confirmed: confirmed.size,
        forgotten: [...confirmed].filter((email) => !isVerified.has(email)),
        incomplete: incomplete.map(({ email }) => email),
        asked: accepted,
        telling: [...refusals, ...[...bodies].slice(1)],
        wronglyOrdered: [
          ...[...asked].filter((email) => !ordered.has(email)),
          ...[...ordered].filter(([, count]) => count > 1).map(([email]) => email),
        ],
        toStrangers: [MAIL, REMINDER]
          .flatMap((group) => mailServer.mails.of(group))
          .filter(({ to }) => to.startsWith(STRANGER))
          .map(({ to }) => to),
      };
    },
  };
};
