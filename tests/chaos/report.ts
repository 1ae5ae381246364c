import type { Audit } from "./audit.ts";
import type { ConfirmationAudit } from "./confirmations.ts";
import { breachesOfGroup, type GroupAudit } from "./group-audit.ts";
import { CHAOS_GROUPS, EXAMPLE, MAIL, PROMPT_GROUPS, REMINDER, WEBHOOK } from "./groups.ts";
import type { Load } from "./load.ts";
import type { Counted, LogSums } from "./log-sums.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import type { ChaosOperator } from "./operator.ts";
import type { PaymentAudit } from "./payments.ts";
import type { RepetitionAudit } from "./repetitions.ts";
import type { Run } from "./run.ts";
import type { ChaoticReceiver } from "./webhook-receiver.ts";

/** All results of a run. */
export interface Results {
  readonly run: Run;
  readonly audited: Audit;
  readonly paid: PaymentAudit;
  readonly confirmations: ConfirmationAudit;
  /** Undefined: signups are not private. */
  readonly repeated: RepetitionAudit | undefined;
  readonly mailServer: ChaoticMailServer;
  readonly receiver: ChaoticReceiver;
  readonly operator: ChaosOperator;
  readonly load: Load;
  readonly logs: LogSums;
  /** Processes that exited when they must not, or did not when they must. */
  readonly misconduct: readonly string[];
}

/** What a run must have provoked, by the field of the log that counts it. */
const PROVOKED: readonly { readonly what: string; readonly field: Counted }[] = [
  { what: "entries claimed", field: "claimed" },
  { what: "events relayed", field: "relayed" },
  { what: "deliveries reconciled", field: "reconciled" },
  { what: "groups recreated", field: "made" },
];

/** A mail that is looked at again just before the account is refused for a while may be taken for refused itself. */
const FIRST_OF_A_SPELL = 1;

const provoked = (logs: LogSums) => PROVOKED.map(({ what, field }) => ({ what, count: logs.sum(field) }));

const secondsOf = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Median and maximum. */
const times = (samples: readonly number[]): string => {
  const sorted = [...samples].sort((left, right) => left - right);
  const [median = 0, most = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return sorted.length === 0 ? "-" : `${secondsOf(median)}  ${secondsOf(most)}`;
};

const entriesOf = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([what, count]) => `${count} ${what}`).join(", ") || "none";

const groupLine = (logs: LogSums, audited: GroupAudit): string =>
  [
    `${audited.events} events done`,
    `${audited.repeated} of them more than once`,
    `${audited.lost.length} lost`,
    `${audited.uncertain} uncertain`,
    `${audited.replayed.length} replayed`,
    `without effect: ${entriesOf(audited.dead)}`,
    `dead letters: ${entriesOf(audited.letters)}`,
    `${logs.sum("claimed", audited.group)} entries claimed`,
    `${logs.sum("reconciled", audited.group)} reconciled`,
  ].join("; ");

const tally = (items: readonly string[]): ReadonlyMap<string, number> =>
  new Map([...Map.groupBy(items, (item) => item)].map(([item, all]) => [item, all.length]));

const duplicateLines = ({ duplicates }: Audit): readonly string[] => {
  const byCause = Map.groupBy(
    duplicates,
    ({ group, during, why }) => `${group.padEnd(16)} ${during.padEnd(36)} ${why}`,
  );
  const lines = [...byCause].map(([cause, ofCause]) => {
    const most = ofCause.reduce((high, { copies }) => Math.max(high, copies), 0);
    return `  ${cause}: ${ofCause.length} signups, at most ${most} copies`;
  });
  return lines.length === 0
    ? []
    : ["duplicates, by the fault during which the first copy was accepted, and the ledger's reason:", ...lines];
};

const recoveryLines = ({ recoveries }: Run): readonly string[] => {
  const byKind = [...Map.groupBy(recoveries, ({ kind }) => kind)].sort(([left], [right]) => left.localeCompare(right));
  return [
    "recovery: from the healing to the first effect of a signup after it; median and maximum",
    `  ${"".padEnd(36)} ${PROMPT_GROUPS.map(({ name }) => name.padEnd(16)).join("")}`,
    ...byKind.map(([kind, ofKind]) => {
      const cells = PROMPT_GROUPS.map(({ name }) =>
        times(ofKind.filter(({ group }) => group === name).map(({ tookMs }) => tookMs)).padEnd(16),
      );
      return `  ${kind.padEnd(36)} ${cells.join("")}`.trimEnd();
    }),
  ];
};

const deadWithAccount = ({ byGroup }: Audit) => byGroup.flatMap((each) => each.deadWithAccount);

/** By the fault in force. */
const made = ({ madeInSecret }: Audit): string => entriesOf(tally(madeInSecret.map(({ during }) => during)));

/** The audit and the times, as a table. */
export const report = ({
  run,
  audited,
  paid,
  confirmations,
  repeated,
  receiver,
  operator,
  load,
  logs,
  misconduct,
}: Results): string => {
  const rows: (readonly [string, string])[] = [
    ["seed", String(run.seed)],
    ["faults", String(run.faults)],
    ["signups accepted", String(audited.accepted)],
    ...audited.byGroup.map((each) => [each.group, groupLine(logs, each)] as const),
    ["duplicates", `${audited.duplicates.length}, ${audited.unexplainedDuplicates.length} beyond the counter`],
    [
      "webhooks",
      `${receiver.requests()} requests, ${receiver.acknowledged.length} acknowledged, ` +
        `${audited.unexplainedWebhooks.length} events repeated beyond attempts without an answer, ${receiver.forged.length} with a wrong signature`,
    ],
    [
      "confirmations",
      `${confirmations.confirmed} confirmed, ${audited.needlessReminders.length} reminded although confirmed in time; ` +
        `${confirmations.asked} asked for another link`,
    ],
    [
      "private signups",
      repeated === undefined
        ? "off"
        : `${repeated.answered} with a known address, ${repeated.notices} owners noticed, ${repeated.telling.length} answers tell`,
    ],
    ["payments", `${paid.promised} promised, ${paid.completed} completed, ${paid.rejected} rejected`],
    ["held mails released", String(operator.released())],
    ["dead as first of an account", String(deadWithAccount(audited).length)],
    ["503, and there is a user", made(audited)],
    ["group unaffected", `${run.independent - run.notIndependent.length} of ${run.independent} times`],
    ["left at the end", audited.leftovers.join(", ") || "none"],
    ["process misconduct", String(misconduct.length)],
    ...provoked(logs).map(({ what, count }) => [what, String(count)] as const),
    ["responses", entriesOf(load.responses)],
    ["slowest response", secondsOf(load.slowestMs())],
  ];
  return [
    "",
    ...rows.map(([what, value]) => `${what.padEnd(26)} ${value}`),
    ...duplicateLines(audited),
    ...recoveryLines(run),
    "",
  ].join("\n");
};

/** Broken promises, and reasons why the run proves too little. */
export const breachesOf = (results: Results): string[] => {
  const { run, audited, paid, confirmations, repeated, mailServer, receiver, load, logs, misconduct } = results;
  const breaches: string[] = [];
  const expectNone = (what: string, found: readonly string[]) => {
    if (found.length > 0) breaches.push(`${found.length} ${what}: ${found.slice(0, 5).join(", ")}`);
  };
  const expectSome = (what: string, count: number | undefined) => {
    if (!run.isPartial && (count ?? 0) === 0) breaches.push(`no ${what}: the run proved too little`);
  };
  for (const group of audited.byGroup) for (const [what, events] of breachesOfGroup(group)) expectNone(what, events);
  expectNone("duplicates beyond the uncertain counter", audited.unexplainedDuplicates);
  expectNone("users without one event and one delivery per group", audited.incomplete);
  expectNone("webhooks repeated beyond the attempts that had no answer", audited.unexplainedWebhooks);
  expectNone("webhooks with a wrong signature", receiver.forged);
  expectNone("reminders to users who had confirmed in time", audited.needlessReminders);
  expectNone("confirmed addresses that Postgres knows nothing of", confirmations.forgotten);
  expectNone("confirmed addresses without one event and one delivery per group", confirmations.incomplete);
  expectNone("answers that reveal who exists", confirmations.telling);
  expectNone("users who asked for another link and for whom not one mail was ordered", confirmations.wronglyOrdered);
  expectNone("mails to strangers", confirmations.toStrangers);
  if (repeated !== undefined) {
    expectNone("answers to signups that reveal who exists", repeated.telling);
    expectNone("signups with a known address without one event that is done", repeated.forgotten);
    expectNone("owners without one notice of signups with their address", repeated.wronglyNoticed);
    expectNone("users made of a signup with a known address", repeated.impostors);
    expectSome("signup with a known address", repeated.answered);
    expectSome("notice to an owner", repeated.notices);
  }
  expectNone("payments promised, and not as promised", paid.broken);
  expectNone("accounts whose balance is not exact", paid.wrongBalances);
  expectSome("payment completed", paid.completed);
  expectSome("payment rejected", paid.rejected);
  expectNone("faults that broke something", run.broken);
  expectNone(
    "signups that were answered by 503 while something was locked, and exist",
    audited.madeInSecret.filter(({ during }) => during.startsWith("lock on")).map(({ email }) => email),
  );
  const first = deadWithAccount(audited);
  if (first.length > mailServer.accountRefusals() * FIRST_OF_A_SPELL)
    breaches.push(`${first.length} dead because the account was refused`);
  expectNone("groups that did not recover from a fault", run.notRecovered);
  expectNone("groups that stood still during a fault that must not affect them", run.notIndependent);
  expectNone("repeated requests refused because of their own first", load.wronglyRefused);
  expectNone("times that a process misbehaved", misconduct);
  expectNone("kinds of work left at the end", audited.leftovers);
  const auditOf = (name: string) => audited.byGroup.find(({ group }) => group === name);
  for (const name of [EXAMPLE, WEBHOOK]) {
    const uncertain = auditOf(name)?.uncertain ?? 0;
    if (uncertain > 0) breaches.push(`${uncertain} uncertain in ${name}, whose effect is idempotent`);
  }
  expectSome("webhook repeated after a refusal", receiver.requests() - receiver.acknowledged.length);
  expectSome("reminder sent", auditOf(REMINDER)?.events);
  expectSome("reminder cancelled", auditOf(REMINDER)?.dead.get("address_confirmed"));
  expectSome("request for another link", confirmations.asked);
  expectSome(`uncertain delivery of ${MAIL}`, auditOf(MAIL)?.uncertain);
  expectSome(`event replayed for ${EXAMPLE}`, auditOf(EXAMPLE)?.replayed.length);
  for (const { name } of CHAOS_GROUPS) expectSome(`entry claimed by ${name}`, logs.sum("claimed", name));
  for (const { what, count } of provoked(logs)) expectSome(what, count);
  return breaches;
};
