import { count, counted } from "../../runtime/quantity.ts";
import type { LeftReason, TakenOutcome } from "../actions/celery/decide.ts";
import type { ImportReport } from "../actions/celery/import.ts";
import { command, UsageError } from "../command.ts";
import { ACT_FLAGS, type ActFlags, DRY_RUN_FLAG, SWITCH, text, wholeNumber, YES_FLAG } from "../flags.ts";
import { mayChange, NOT_CONFIRMED } from "../terminal/confirm.ts";
import { printable, type Style } from "../terminal/style.ts";

interface Flags extends ActFlags {
  readonly broker: string;
  readonly results?: string;
  readonly queue: string;
  readonly task: string;
  readonly keyPrefix: string;
  readonly resultsKeyPrefix?: string;
  readonly separator?: string;
  readonly timezone: string;
  readonly locale: "vi" | "en";
  readonly visibilityTimeout: number;
  readonly takeUnacked?: boolean;
  readonly createUsers?: boolean;
  readonly follow?: boolean;
  readonly strict?: boolean;
  readonly examples: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const TAKEN_WORDS: Readonly<Record<TakenOutcome, string>> = {
  queued: "queued",
  uncertain: "queued, and may have been sent: a worker had them and did not acknowledge",
  held: "held: Celery gave up on them; `ops held release` tries again",
  done: "recorded as sent by Celery",
  imported_before: "imported before",
  welcomed_before: "not needed: the user has a welcome mail here",
};

const LEFT_WORDS: Readonly<Record<LeftReason, string>> = {
  not_json: "no JSON",
  unknown_envelope: "not kombu's envelope",
  unknown_encoding: "another content type or encoding",
  compressed: "compressed",
  unreadable_body: "the body cannot be read",
  other_task: "another task",
  wrong_arguments: "arguments other than (email_to, username)",
  has_follow_ups: "part of a chain or a chord, or with callbacks",
  expired: "expired: Celery would discard it, too",
  unreadable_eta: "the ETA cannot be read",
  unreadable_expiry: "when it expires cannot be read",
  held_by_worker: "a worker has it; --take-unacked once no worker runs",
  started: "a worker has begun it; --take-unacked once no worker runs",
  revoked: "revoked",
  unreadable_result: "its result is not in JSON",
  repeated_id: "another person's task has the same id, and was imported",
  no_such_user: "no user has the address; --create-users makes them",
  invalid_address: "no user can be made: the address",
  invalid_name: "no user can be made: the name",
  name_taken: "no user can be made: the name is another user's",
};

const linesOf = <Kind extends string>(
  words: Readonly<Record<Kind, string>>,
  counts: Partial<Record<Kind, number>>,
  examples: ImportReport["examples"],
): readonly string[] => {
  const counted = new Map<string, number>(Object.entries(counts));
  return Object.entries<string>(words).flatMap(([kind, meaning]) => {
    const many = counted.get(kind) ?? 0;
    if (many === 0) return [];
    const shown = examples
      .filter(({ became }) => became === kind)
      .map(({ taskId, task, from, eventId }) => {
        const parts = [
          taskId ?? "without an id",
          task ?? "without a name",
          from,
          ...(eventId === null ? [] : [eventId]),
        ];
        return `      ${parts.map(printable).join("  ")}`;
      });
    return [`  ${count(many)} ${meaning}`, ...shown];
  });
};

const sum = (counts: Partial<Record<string, number>>): number =>
  Object.values(counts).reduce<number>((total, each) => total + (each ?? 0), 0);

const reportText = (style: Style, report: ImportReport, isDry: boolean, follows: boolean): string => {
  const { taken, left, usersMade, examples, stopped } = report;
  const verb = isDry ? "would be taken; nothing was done" : "taken";
  return [
    style("bold", `${counted(sum(taken), "message")} of ${printable(report.queue)} ${verb}`),
    ...linesOf(TAKEN_WORDS, taken, examples),
    ...(usersMade === 0 ? [] : [`  ${counted(usersMade, "user")} ${isDry ? "would be made" : "made"}`]),
    ...(sum(left) === 0 ? [] : [`${counted(sum(left), "message")} left where they are`]),
    ...linesOf(LEFT_WORDS, left, examples),
    ...(stopped && !follows ? [style("warning", "stopped before the end; run it again to continue")] : []),
  ].join("\n");
};

const zone = (value: string): string => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    throw new SyntaxError(`${value}: expected a time zone such as Asia/Ho_Chi_Minh`);
  }
};

const language = (value: string): Flags["locale"] => {
  if (value === "vi" || value === "en") return value;
  throw new SyntaxError("expected vi or en");
};

const parsed = <Value>(parse: (value: string) => Value, placeholder: string, brief: string) =>
  ({ kind: "parsed", parse, placeholder, brief }) as const;

export const importCelery = command<Flags>({
  brief: "Take the welcome mails that wait in a queue of Celery on Redis",
  about: [
    "Moves each message aside, records user, event and deliveries as a signup does, and forgets it: so no worker sends it, too. What",
    "Celery has sent is recorded as sent. What is not understood stays in the queue, and is listed. May run beside workers, be",
    "stopped, and run again; needs a running api, which publishes what was recorded. docs/from-celery.md has the whole way over.",
  ].join("\n"),
  parameters: {
    flags: {
      broker: parsed(text, "URL", "Celery's broker, as REDIS_URL, or @FILE that holds the URL"),
      results: { ...parsed(text, "URL", "Its result backend, likewise (default: the broker)"), optional: true },
      queue: { ...parsed(text, "NAME", "The queue, with all of its priorities"), default: "celery" },
      task: { ...parsed(text, "NAME", "The task, in full or its last part"), default: "send_email_welcome" },
      keyPrefix: { ...parsed(text, "PREFIX", "kombu's global_keyprefix"), default: "" },
      resultsKeyPrefix: {
        ...parsed(text, "PREFIX", "That of the results, where they have their own (default: --key-prefix)"),
        optional: true,
      },
      separator: {
        ...parsed(text, "TEXT", "kombu's sep, where the app sets one, as it is in the names"),
        optional: true,
      },
      timezone: { ...parsed(zone, "ZONE", "Celery's timezone, for times without an offset"), default: "UTC" },
      locale: { ...parsed(language, "vi|en", "Language of users who are made"), default: "vi" },
      visibilityTimeout: {
        ...parsed(wholeNumber(31_536_000), "S", "kombu's visibility_timeout: what a worker has for longer is taken"),
        default: "3600",
      },
      takeUnacked: { ...SWITCH, brief: "Take what workers have not acknowledged, too: only when no worker runs" },
      createUsers: { ...SWITCH, brief: "Make users who are missing; they cannot log in until their password is reset" },
      follow: { ...SWITCH, brief: "Keep running, and take what comes" },
      strict: { ...SWITCH, brief: "Exit 1 if a message is left" },
      examples: { ...parsed(wholeNumber(1_000), "N", "Show the first N messages of each kind"), default: "5" },
      dryRun: DRY_RUN_FLAG,
      yes: YES_FLAG,
      ...ACT_FLAGS,
    },
  },
  examples: [
    ["import celery --broker redis://old.internal:6379/0 --dry-run", "what would become of each message"],
    ["import celery --broker @/run/secrets/broker --create-users", "take them"],
    [
      "import celery --broker redis://old.internal:6379/0 --follow --yes",
      "a bridge for services that still call delay()",
    ],
  ],
  needs: ["database"],
  outlivesStores: true,
  check({ dryRun, follow }) {
    if (dryRun === true && follow === true) throw new UsageError("expected only one of --dry-run and --follow");
  },
  async run(context, flags) {
    const [{ importCelery: importQueue, previewImport }, { openBroker }] = await Promise.all([
      import("../actions/celery/import.ts"),
      import("../actions/celery/open-broker.ts"),
    ]);
    const follows = flags.follow === true;
    const order = {
      queueName: flags.queue,
      task: flags.task,
      timezone: flags.timezone,
      locale: flags.locale,
      createUsers: flags.createUsers === true,
      takeUnacked: flags.takeUnacked === true,
      visibilityTimeoutMs: flags.visibilityTimeout * 1_000,
      follow: follows,
      examples: flags.examples,
      now: context.now,
      onFault: context.say,
    };
    const broker = await openBroker({
      ...flags,
      results: flags.results,
      resultsKeyPrefix: flags.resultsKeyPrefix,
      separator: flags.separator,
    });
    try {
      const answer = (report: ImportReport, isDry: boolean) => ({
        json: { dryRun: isDry, ...report },
        failed: (report.stopped && !follows) || (flags.strict === true && sum(report.left) > 0),
        text: (style: Style) => reportText(style, report, isDry, follows),
      });
      // Nobody is asked, so nothing has to be counted first: a supervisor starts it again and again, on whatever a large queue has left.
      if (flags.yes === true && flags.dryRun !== true) return answer(await importQueue(context, broker, order), false);
      const preview = await previewImport(context, broker, order);
      if (flags.dryRun === true || preview.stopped) return answer(preview, true);
      const many = sum(preview.taken);
      if (!(await mayChange(many, "messages", { yes: flags.yes, signal: context.signal }))) {
        return {
          json: { confirmed: false, ...preview },
          failed: true,
          text: () => `nothing was taken: ${NOT_CONFIRMED}`,
        };
      }
      return answer(await importQueue(context, broker, order, many), false);
    } finally {
      broker.close();
    }
  },
});
