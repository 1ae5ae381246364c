import type { Sql } from "postgres";
import { pause } from "../../runtime/loop.ts";
import { USER_SIGNUP_REPEATED } from "../../stream/events/user-signup-repeated.ts";
import { openForAudit } from "./database.ts";
import { NOTICE } from "./groups.ts";
import { createUsers, follow, type UsersOptions } from "./users.ts";

/** What those who signed up with a user's address were answered, and what its owner got. */
export interface RepetitionAudit {
  /** Signups with a known address that were answered by 201. */
  readonly answered: number;
  /** Owners who got their notice. */
  readonly notices: number;
  /** Answers by which a caller could tell who exists. */
  readonly telling: readonly string[];
  /** Answered by 201, without one event about the owner whose notice is done, or whose owner was refused for good. */
  readonly forgotten: readonly string[];
  /** Owners without exactly one notice for both signups, but for copies that are counted as uncertain, and refused mails. */
  readonly wronglyNoticed: readonly string[];
  /** Users that were made of a signup with a known address. */
  readonly impostors: readonly string[];
}

export interface Repetitions {
  stop(): Promise<void>;
  audit(): Promise<RepetitionAudit>;
}

const TIMEOUT_MS = 30_000;
const ASK_AGAIN_AFTER_MS = 1_000;
const MAX_REQUESTS = 20;
const REPEATED_SHARE = 0.15;
/** The second counts as repeated within the hour: it asks for no notice. */
const SIGNUPS_EACH = 2;

interface Repeated {
  readonly owner: string;
  readonly name: string;
  readonly eventId: string;
}

interface Answer {
  readonly status: number;
  readonly shape: string;
  readonly eventId: string | undefined;
}

interface EventRow {
  readonly event_id: string;
  readonly owner: string | null;
  readonly notify: boolean;
  readonly state: string;
  readonly uncertain: number;
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
/** Of a mailbox that was asked for too often within the hour, by its owner or by others, whether a user has it or not. */
const TOO_MANY = 429;
/** Headers that tell the client of itself: that it asked before, and how much more it may ask, as far as Redis is there to say. */
const OF_THE_CLIENT = /^(idempotent-replayed|ratelimit.*)$/;

/** An answer without what differs between any two signups. */
const shapeOf = ({ status, headers }: Response, body: string, words: readonly string[]): string => {
  const names = [...headers.keys()].filter((name) => !OF_THE_CLIENT.test(name)).sort();
  const general = words.reduce((text, word) => text.replaceAll(word, "<own>"), body);
  return `${status} ${names.join(" ")} ${general.replace(ID, "<id>").replace(TIME, "<time>")}`;
};

const eventsOf = (sql: Sql, eventIds: readonly string[]): Promise<EventRow[]> => sql`
  select event_id::text, email as owner, (data ->> 'notify')::boolean as notify,
    state, uncertain
  from events join deliveries using (event_id) left join users on users.id::text = events.subject
  where type = ${USER_SIGNUP_REPEATED} and group_name = ${NOTICE} and event_id::text = any(${eventIds}::text[])`;

/**
 * Where signups are private: some users' addresses are signed up with again, twice within the hour, each time beside a signup with an
 * address that nobody has. A request without an answer is repeated under its Idempotency-Key until there is one.
 */
export const startRepetitions = (options: UsersOptions): Repetitions => {
  const { urls, databaseUrl, mailServer, load, random } = options;
  const sql = openForAudit(databaseUrl);
  const repeated: Repeated[] = [];
  /** Of answers by whether the address was known. */
  const shapes = { known: new Set<string>(), unknown: new Set<string>() };
  const users = createUsers(random);
  let count = 0;

  const ask = async (name: string, email: string): Promise<Answer | undefined> => {
    try {
      const response = await fetch(`${random.pick(urls)}/api/v1/user/`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": name },
        body: JSON.stringify({ user_name: name, email, password: "correct horse battery" }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const body = await response.text();
      const eventId = /"event_id":"([^"]+)"/.exec(body)?.[1];
      return { status: response.status, shape: shapeOf(response, body, [email, name]), eventId };
    } catch {
      return undefined;
    }
  };
  /** Undefined: none that says anything, in so many requests. */
  const answerTo = async (name: string, email: string): Promise<Answer | undefined> => {
    for (let requests = 0; requests < MAX_REQUESTS && !users.signal.aborted; requests += 1) {
      const answer = await ask(name, email);
      if (answer !== undefined && answer.status < 500) return answer;
      await pause(ASK_AGAIN_AFTER_MS, users.signal);
    }
    return undefined;
  };

  const repeat = async (owner: string): Promise<void> => {
    const number = count++;
    // Within an hour of their own signup owners get no notice.
    await sql`update users set created_at = created_at - interval '2 hours' where email = ${owner}`;
    for (let times = 0; times < SIGNUPS_EACH; times += 1) {
      const name = `again-${number}-${times}`;
      const [known, unknown] = await Promise.all([
        answerTo(name, owner),
        answerTo(`beside-${number}-${times}`, `beside-${number}-${times}@inbox.example`),
      ]);
      if (known !== undefined && known.status !== TOO_MANY) shapes.known.add(known.shape);
      if (unknown !== undefined && unknown.status !== TOO_MANY) shapes.unknown.add(unknown.shape);
      if (known?.status === 201) repeated.push({ owner, name, eventId: known.eventId ?? "" });
    }
  };
  users.start(
    follow(load.accepted, ({ email }) => {
      // If Postgres is away, nobody signs up again.
      if (random.next() < REPEATED_SHARE) users.later(() => repeat(email).catch(() => {}));
    }),
  );

  return {
    stop: users.stop,
    async audit() {
      const eventIds = repeated.map(({ eventId }) => eventId);
      const events = new Map((await eventsOf(sql, eventIds)).map((row) => [row.event_id, row]));
      const impostors = await sql<{ user_name: string }[]>`
        select user_name from users where user_name = any(${repeated.map(({ name }) => name)}::text[])`;
      await sql.end();
      const copies = Map.groupBy(mailServer.mails.of(NOTICE), ({ eventId }) => eventId);
      const mayBeRefused = (owner: string) => mailServer.refused.has(owner) || mailServer.refusedWithAccount.has(owner);
      const isKept = ({ owner, eventId }: Repeated): boolean => {
        const row = events.get(eventId);
        if (row === undefined || row.owner !== owner) return false;
        // Once the owner's first notice is refused, the address is suppressed for the second one, too.
        return row.state === "done" || mayBeRefused(owner);
      };
      const isNoticedOnce = (owner: string, all: readonly Repeated[]): boolean => {
        const rows = all.flatMap(({ eventId }) => events.get(eventId) ?? []);
        const [notice] = rows.filter(({ notify }) => notify);
        if (rows.some(({ event_id, notify }) => !notify && copies.has(event_id))) return false;
        // The first signup may have been made, and its answer lost for good.
        if (notice === undefined) return all.length < SIGNUPS_EACH;
        const mails = copies.get(notice.event_id) ?? [];
        if (mails.some(({ to }) => to !== owner) || mails.length > 1 + notice.uncertain) return false;
        return mails.length > 0 || mayBeRefused(owner);
      };
      const byOwner = Map.groupBy(repeated, ({ owner }) => owner);
      const [known, unknown] = [[...shapes.known], [...shapes.unknown]];
      return {
        answered: repeated.length,
        notices: new Set(mailServer.mails.of(NOTICE).map(({ to }) => to)).size,
        telling: [
          ...known.filter((shape) => !shapes.unknown.has(shape)).map((shape) => `known: ${shape}`),
          ...unknown.filter((shape) => !shapes.known.has(shape)).map((shape) => `unknown: ${shape}`),
        ],
        forgotten: repeated.filter((each) => !isKept(each)).map(({ eventId }) => eventId),
        wronglyNoticed: [...byOwner].filter(([owner, all]) => !isNoticedOnce(owner, all)).map(([owner]) => owner),
        impostors: impostors.map(({ user_name }) => user_name),
      };
    },
  };
};
