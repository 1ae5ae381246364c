import type { AuditedValue } from "../../database/audit.ts";
import type { AuditOutcome } from "../../database/operators-schema.ts";
import type { ActionName } from "./action-names.ts";
import type { Operator } from "./operator.ts";

/** What an action is about to do, for the audit log. */
export interface Description {
  readonly group?: string;
  /** Nothing personal: ids, reasons, counts. */
  readonly arguments?: Readonly<Record<string, AuditedValue | undefined>>;
}

/** What it has done. */
export interface Result {
  /** How much was changed. */
  readonly affected: number;
  /** Of what: events, or the user that was erased. */
  readonly eventIds?: readonly string[];
  readonly stopped?: boolean;
}

interface Definition<Args extends readonly unknown[], Report> {
  /** As an operator calls it: `dead retry`. */
  readonly name: ActionName;
  readonly describe: (args: NoInfer<Args>) => Description;
  /** Whether it changes nothing this time, as a dry run. */
  readonly isDry?: (args: NoInfer<Args>) => boolean;
  readonly run: (operator: Operator, ...args: Args) => Promise<Report>;
  readonly resultOf: (report: NoInfer<Report>, args: NoInfer<Args>) => Result;
}

/** An action that is recorded. */
export interface AuditedAction<Args extends readonly unknown[], Report> {
  (operator: Operator, ...args: Args): Promise<Report>;
  readonly audited: string;
}

const MAX_IDS = 50;
const MAX_LENGTH = 128;

/** An operator may type anything; an address in a reason is nobody's business. */
const harmless = (value: AuditedValue): AuditedValue =>
  typeof value === "string" && value.includes("@")
    ? "***"
    : typeof value === "string"
      ? value.slice(0, MAX_LENGTH)
      : value;

const argumentsOf = (given: Description["arguments"] = {}): Readonly<Record<string, AuditedValue>> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, harmless(value)] as const])),
  );

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? `${error.name} ${error.code}` : error.name;
};

const outcomeOf = ({ affected, stopped }: Result): AuditOutcome => {
  if (stopped === true) return "stopped";
  return affected === 0 ? "nothing" : "done";
};

/**
 * Makes an action of what changes something: the only way to. It is in the audit log before it changes anything, and again when
 * it has ended, whoever calls it. A test knows every action that is not made so.
 */
export const audited = <Args extends readonly unknown[], Report>({
  name,
  describe,
  isDry,
  run,
  resultOf,
}: Definition<Args, Report>): AuditedAction<Args, Report> =>
  Object.assign(
    async (operator: Operator, ...args: Args): Promise<Report> => {
      if (isDry?.(args) === true) return run(operator, ...args);
      const { group = null, arguments: given } = describe(args);
      const actionId = await operator.audit.begin({ action: name, group, arguments: argumentsOf(given) });
      const end = async (outcome: AuditOutcome, { affected, eventIds = [] }: Result, error: string | null) => {
        if (actionId === undefined) return;
        await operator.audit.end({ actionId, outcome, affected, eventIds: eventIds.slice(0, MAX_IDS), error });
      };
      try {
        const report = await run(operator, ...args);
        const result = resultOf(report, args);
        await end(outcomeOf(result), result, null);
        return report;
      } catch (error) {
        await end("failed", { affected: 0 }, codeOf(error));
        throw error;
      }
    },
    { audited: name },
  );
