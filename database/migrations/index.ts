import type { Migration } from "kysely/migration";
import { signups } from "./0001-signups.ts";
import { suppressions } from "./0002-suppressions.ts";
import { eventsAndDeliveries } from "./0003-events-and-deliveries.ts";
import { payments } from "./0004-payments.ts";
import { confirmations } from "./0005-confirmations.ts";
import { dueDeliveries } from "./0006-due-deliveries.ts";
import { pauses } from "./0007-pauses.ts";
import { claimTokens } from "./0008-claim-tokens.ts";
import { heldUntil } from "./0009-held-until.ts";
import { privateSignups } from "./0010-private-signups.ts";
import { auditLog } from "./0011-audit-log.ts";
import { bounces } from "./0012-bounces.ts";
import { disownedUsers } from "./0013-disowned-users.ts";
import { deliveriesByReason } from "./0014-deliveries-by-reason.ts";
import { namesAndAttempts } from "./0015-names-and-attempts.ts";
import { jobs } from "./0016-jobs.ts";
import { vacuumOfLargeTables } from "./0017-vacuum-of-large-tables.ts";
import { ratesAndSignOuts } from "./0019-rates-and-sign-outs.ts";
import { suppressionsByTime } from "./0020-suppressions-by-time.ts";
import { fastmailMailboxes } from "./0022-fastmail-mailboxes.ts";
import { roomInPages } from "./0023-room-in-pages.ts";

/** In order. Expand first, contract in a later release: two neighbouring versions run on one schema. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-signups": signups,
  "0002-suppressions": suppressions,
  "0003-events-and-deliveries": eventsAndDeliveries,
  "0004-payments": payments,
  "0005-confirmations": confirmations,
  "0006-due-deliveries": dueDeliveries,
  "0007-pauses": pauses,
  "0008-claim-tokens": claimTokens,
  "0009-held-until": heldUntil,
  "0010-private-signups": privateSignups,
  "0011-audit-log": auditLog,
  "0012-bounces": bounces,
  "0013-disowned-users": disownedUsers,
  "0014-deliveries-by-reason": deliveriesByReason,
  "0015-names-and-attempts": namesAndAttempts,
  "0016-jobs": jobs,
  "0017-vacuum-of-large-tables": vacuumOfLargeTables,
  "0019-rates-and-sign-outs": ratesAndSignOuts,
  "0020-suppressions-by-time": suppressionsByTime,
  "0022-fastmail-mailboxes": fastmailMailboxes,
  "0023-room-in-pages": roomInPages,
};
