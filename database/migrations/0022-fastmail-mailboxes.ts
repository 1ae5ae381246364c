import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { FASTMAIL_DOMAINS } from "../../runtime/fastmail-domains.ts";

/**
 * Mail to `anything@name.ml1.net` is mail to `name@ml1.net`, which `canonicalMailbox` knows of all of Fastmail's domains from now on: who has
 * disowned such an address stays suppressed. The old spelling stays beside the new one, for processes of the version before.
 */
export const fastmailMailboxes: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`
      insert into suppressions (email_key, reason, event_id, created_at)
      select distinct on (mailbox) mailbox, reason, event_id, created_at
      from suppressions cross join lateral (
        select regexp_replace(email_key, '^.*@([^.@]+)[.](.+)$', '\\1@\\2') as mailbox,
          substring(email_key from '@[^.@]+[.](.+)$') as parent) as spelt
      where reason = 'not_me' and parent in (${sql.join(FASTMAIL_DOMAINS)})
      order by mailbox, created_at
      on conflict (email_key) do update set reason = excluded.reason`.execute(db);
  },
};
