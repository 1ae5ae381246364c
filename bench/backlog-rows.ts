import { openDatabase, statement } from "../database/connection.ts";
import { type LoggedEvent, sqlWriteEvents } from "../database/events.ts";
import { deletePublished } from "../database/outbox.ts";
import { USER_SIGNED_UP } from "../stream/events/user-signed-up.ts";
import { boundGroups, GROUPS } from "../stream/groups.ts";
import { keysOf } from "../stream/keys.ts";
import { publishAll } from "../stream/publish.ts";
import { openStream } from "./open-stream.ts";
import type { Programs } from "./programs.ts";

/** Signups of a statement, and of a write to Redis. */
const SLICE = 1_000;

/** Signups $1 to $2, each with its user, event, deliveries and outbox row, by the part of the statement that signups write them with. */
const write = statement<LoggedEvent, [number, number]>(`
  with made as (
    select number, uuidv7() as user_id, uuidv7() as event_id, '${USER_SIGNED_UP}'::text as type, 'waiting-' || number as name
    from generate_series($1::int, $2::int) as number),
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select user_id, name, name, name || '@inbox.example', name || '@inbox.example', '$argon2id$none', 'vi' from made),
  signed_up as (
    select event_id, type, user_id::text as subject, jsonb_build_object('user_id', user_id, 'locale', 'vi') as data,
      '00-' || md5(number::text) || '-' || substr(md5(number::text), 1, 16) || '-00' as traceparent, null::text as tracestate
    from made),${sqlWriteEvents("signed_up", boundGroups(GROUPS))}
  select event_id, type, subject, data, traceparent, tracestate, now() as created_at from signed_up order by event_id`);

/**
 * Leaves so many signups to the consumers, as an API that has answered them does, without its HTTP and hashes: a million of them would
 * take longer than their mails.
 */
export const writeBacklog = async (
  programs: Pick<Programs, "databaseUrl" | "environment">,
  signups: number,
): Promise<void> => {
  const db = openDatabase({ url: programs.databaseUrl, poolSize: 1, applicationName: "bench" });
  const redis = await openStream(programs);
  const { events } = keysOf(programs.environment["STREAM_NAME"] ?? "");
  try {
    for (let first = 1; first <= signups; first += SLICE) {
      const rows = await write(db, first, Math.min(signups, first + SLICE - 1));
      const published = await publishAll(redis, events, rows);
      for (const each of published) if (each.status === "rejected") throw each.reason;
      await deletePublished(
        db,
        rows.map(({ event_id }) => event_id),
      );
    }
  } finally {
    redis.disconnect();
    await db.destroy();
  }
};
