import { findReportedDeliveries, type Reported } from "../../database/bounces/find-delivery.ts";
import { createRecordReports, type DeliveryReport } from "../../database/bounces/record.ts";
import { type DeliveryName, findReturnPath } from "../../database/bounces/return-path.ts";
import { keyOfAddress } from "../../database/comparison-key.ts";
import type { Database } from "../../database/connection.ts";
import { RowLocked } from "../../database/errors.ts";
import { instruments } from "../../observability/metrics.ts";
import { withoutRecipient } from "../../observability/redact.ts";
import type { ReadItem, Report } from "./report.ts";

export interface AcceptDeps {
  readonly db: Database;
  /** The key of the tokens. */
  readonly key: () => Promise<Buffer>;
  /** Names of the groups, one of which a token names. */
  readonly groups: readonly string[];
}

/** What became of one item. */
export type AcceptedItem =
  | { readonly result: "ignored" | "unreadable" }
  | { readonly result: "subscription"; readonly topic: string; readonly url: string | undefined }
  | { readonly result: "unmatched"; readonly kind: Report["kind"]; readonly code: string | undefined }
  | {
      readonly result: "recorded" | "repeated";
      readonly kind: Report["kind"];
      readonly code: string | undefined;
      readonly delivery: DeliveryName;
      readonly isSuppressed: boolean;
    };

export type AcceptReports = (items: readonly ReadItem[]) => Promise<readonly AcceptedItem[]>;

const MAX_WORDS = 500;
/** Before addresses are searched in them, and of an address that is searched. */
const MAX_LENGTH = 4_000;
const MAX_ADDRESS_LENGTH = 320;

/** A server's words as they are stored: without addresses, the recipient and control characters, at most 500 code points. */
const keptWords = ({ words, recipient = "" }: Report): string | null => {
  if (words === undefined) return null;
  const read = words.slice(0, MAX_LENGTH).toWellFormed();
  const kept = withoutRecipient(read, recipient.slice(0, MAX_ADDRESS_LENGTH).toWellFormed());
  return [...kept.replace(/\p{Cc}+/gu, " ")].slice(0, MAX_WORDS).join("");
};

/** By mail comes what anybody may have written. */
const isMail = ({ source }: Report): boolean => source === "dsn" || source === "arf";

interface Found {
  readonly delivery: DeliveryName;
  /** False: somebody else may have made the report up. */
  readonly isProven: boolean;
}

const toDeliveryReport = (report: Report, { delivery, isProven }: Found): DeliveryReport => {
  const what = report.code === undefined ? report.kind : `${report.kind} ${report.code}`;
  return {
    ...delivery,
    step: isProven ? what : `${what} (not proven)`,
    isFinal: isProven && report.kind !== "delayed",
    suppresses: isProven && report.isPermanent,
    words: keptWords(report),
  };
};

const kindOf = ({ kind, isPermanent }: Report): string =>
  kind === "complained" ? "complaint" : kind === "delayed" ? "delayed" : isPermanent ? "hard" : "soft";

/** What the database can be asked for: no address and no Message-ID of ours is longer, or has a NUL or half a character; JSON can spell it. */
const isAskable = (text: string | undefined): text is string =>
  text !== undefined && text.length <= MAX_ADDRESS_LENGTH && text.isWellFormed() && !text.includes("\0");

/** Other ways to the delivery than a token. A mail may name any address: of an address, only a provider is believed. */
const reportedBy = (report: Report): readonly Reported[] => [
  ...(isAskable(report.messageId) ? [{ by: "message-id", messageId: report.messageId } as const] : []),
  ...(isAskable(report.recipient) && !isMail(report)
    ? [{ by: "recipient", key: keyOfAddress(report.recipient) } as const]
    : []),
];

/**
 * Records what reports say of deliveries, and suppresses addresses to which no mail will ever arrive, or whose owners want
 * none. A delivery is found by its token, else by its Message-ID, else, for a provider, by the recipient. What comes by mail without a
 * token proves nothing: whoever signs somebody up is told the event's id, and so the Message-ID. What cannot be matched is counted.
 *
 * @throws the driver's error if the database is unavailable, and `RowLocked` when all were recorded but those whose rows somebody else has
 *   locked; the same items again do no harm
 */
export const createAcceptReports = ({ db, key, groups }: AcceptDeps): AcceptReports => {
  const recordReports = createRecordReports();
  return async (items) => {
    const reports = items.flatMap((item) => (item.kind === "report" ? [item.report] : []));
    const secret = reports.length === 0 ? undefined : await key();
    const found = new Map<Report, Found>();
    // Each once: a report of many recipients is as long for each of them.
    const texts = new Set(reports.map(({ text }) => text));
    const named = new Map([...texts].map((text) => [text, secret && findReturnPath(secret, text, groups)]));
    for (const report of reports) {
      const delivery = named.get(report.text);
      if (delivery !== undefined) found.set(report, { delivery, isProven: true });
    }
    const asked = reports
      .filter((report) => !found.has(report))
      .flatMap((report) => reportedBy(report).map((reported) => ({ report, reported })));
    const answers = await findReportedDeliveries(
      db,
      asked.map(({ reported }) => reported),
    );
    for (const [index, { report }] of asked.entries()) {
      const delivery = answers[index];
      if (delivery === undefined || found.has(report)) continue;
      found.set(report, { delivery, isProven: !isMail(report) });
    }

    const written = new Map([...found].map(([report, each]) => [report, toDeliveryReport(report, each)]));
    const results = await recordReports(db, [...written.values()]);
    const accepted = items.map((item): AcceptedItem | undefined => {
      if (item.kind === "subscription") {
        return { result: "subscription", topic: item.topic, url: item.url };
      }
      if (item.kind !== "report") return { result: item.kind };
      const { kind, code } = item.report;
      const delivery = found.get(item.report)?.delivery;
      const row = written.get(item.report);
      const result = row === undefined ? undefined : results.get(row);
      if (result?.kind === "locked") return undefined;
      const isUnmatched = delivery === undefined || result === undefined || result.kind === "no_such_delivery";
      const counted = isUnmatched ? "unmatched" : result.kind === "repeated" ? "repeated" : kindOf(item.report);
      instruments().bounces.add(1, { "signup.bounce.kind": counted, "signup.bounce.source": item.report.source });
      if (isUnmatched) return { result: "unmatched", kind, code };
      const isSuppressed = result.kind === "recorded" && result.isSuppressed;
      return { result: result.kind, kind, code, delivery, isSuppressed };
    });
    const complete = accepted.filter((item) => item !== undefined);
    if (complete.length < accepted.length) throw new RowLocked();
    return complete;
  };
};
