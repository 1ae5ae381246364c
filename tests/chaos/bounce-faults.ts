import { eventually } from "../eventually.ts";
import { type Fault, type FaultDeps, nothing } from "./fault.ts";
import { MAIL, REMINDER } from "./groups.ts";
import { REMINDER_DELAY_MS, SERVICE_TOKEN } from "./system.ts";

/** Of the newest mails, which their users' reminders would follow. */
const MAILS = 5;
const REPORTED_WITHIN_MS = 30_000;
const TIMEOUT_MS = 5_000;
/** A mail that was looked up 5 s before its report arrived may still go out, until it is looked up again. */
const UNDER_WAY_MS = 8_000;

/** What Postmark posts of an address that does not exist, though the mail was accepted. */
const reportOf = (email: string) => ({
  RecordType: "Bounce",
  ID: 42,
  Type: "HardBounce",
  TypeCode: 1,
  MessageID: Bun.randomUUIDv7(),
  Details: "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
  Email: email,
  BouncedAt: new Date().toISOString(),
});

/** Mails that were accepted, and come back later. */
export const bounceFaults = ({ system, mailServer }: FaultDeps) => {
  const apis = system.victims.filter(({ kind }) => kind === "api");
  let reports = 0;
  /** To one API after the other: one may be away. */
  const report = async (emails: readonly string[]): Promise<boolean> => {
    const url = apis[reports % apis.length]?.url ?? "";
    reports += 1;
    const response = await fetch(`${url}/api/v1/bounces`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${SERVICE_TOKEN}` },
      body: JSON.stringify(emails.map(reportOf)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => undefined);
    return response?.ok === true;
  };

  /** Nothing more is sent to the addresses: no reminder, and no other link. */
  const bounceLater = (): Fault => {
    let emails: readonly string[] = [];
    const counts = new Map<string, number>();
    return {
      kind: "bounces",
      label: `${MAILS} mails come back after they were accepted`,
      lastsMs: REMINDER_DELAY_MS + UNDER_WAY_MS,
      // A report that Postgres cannot take yet is none: the addresses count from when it did.
      parts: ["bounces", "postgres"],
      inflict: async () => {
        emails = [...new Set(mailServer.mails.of(MAIL).map(({ to }) => to))].slice(-MAILS);
        for (const email of emails) mailServer.comesBack(email);
        await eventually(() => report(emails), REPORTED_WITHIN_MS);
        await Bun.sleep(UNDER_WAY_MS);
        for (const group of [MAIL, REMINDER]) counts.set(group, mailServer.mails.of(group).length);
      },
      heal: nothing,
      verify: async () => {
        const sent = [...counts].flatMap(([group, count]) => mailServer.mails.of(group).slice(count));
        const again = sent.filter(({ to }) => emails.includes(to)).length;
        return again === 0 ? [] : [`${again} mails to addresses that mails had come back from`];
      },
    };
  };
  return { bounceLater };
};
