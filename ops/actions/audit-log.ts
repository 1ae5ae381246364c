import { type AuditedValue, type BegunAction, beginAction, type EndedAction, endAction } from "../../database/audit.ts";
import type { Database } from "../../database/connection.ts";
import { databaseFault } from "../../database/errors.ts";
import { pause } from "../../runtime/loop.ts";

/** What is about to be done, without anything personal. */
export interface Deed {
  readonly action: string;
  readonly group: string | null;
  readonly arguments: Readonly<Record<string, AuditedValue>>;
}

/** Where actions are recorded, before they change anything and after. */
export interface AuditLog {
  /** Who acts, as it is recorded. */
  readonly actor: string;
  /**
   * The id of the record; undefined if Postgres is unavailable and the operator wants to act all the same.
   *
   * @throws {NotAudited} if the record is not written: then nothing may be done
   */
  begin(deed: Deed): Promise<string | undefined>;
  /** Never rejects: what was done is done. */
  end(ended: EndedAction): Promise<void>;
  /** Ends as interrupted what has not ended: nobody is left to say how it did. Never rejects. */
  close(): Promise<void>;
}

/** An action that would leave no trace. Nothing was done. */
export class NotAudited extends Error {
  override readonly name = "NotAudited";
}

export interface AuditLogDeps {
  readonly db: Database;
  readonly actor: string;
  readonly surface: string;
  readonly host: string;
  readonly newId: () => string;
  /** Told what is not recorded, to be seen by the operator. */
  readonly warn: (message: string) => void;
  /** Longest wait for Postgres, in ms. */
  readonly withinMs?: number;
  /** Whether to act although Postgres is unavailable. The operator is told what to write down. */
  readonly allowsUnrecorded?: boolean;
}

const WITHIN_MS = 2_000;

class Late extends Error {
  readonly code = "ETIMEDOUT";
}

const within = async (ms: number, written: Promise<void>): Promise<void> => {
  const done = new AbortController();
  written.catch(() => {});
  const late = pause(ms, done.signal).then(() => {
    if (!done.signal.aborted) throw new Late(`no answer within ${ms} ms`);
  });
  try {
    await Promise.race([written, late]);
  } finally {
    done.abort();
  }
};

/** The audit log in Postgres, for one operator. */
export const createAuditLog = (deps: AuditLogDeps): AuditLog => {
  const { db, actor, surface, host, newId, warn, withinMs = WITHIN_MS, allowsUnrecorded = false } = deps;
  const open = new Set<string>();
  const lost = (what: string, code: string, record: object): void =>
    warn(`NOT IN THE AUDIT LOG (Postgres: ${code}): ${what}. Write it down: ${JSON.stringify(record)}`);
  const end = async (ended: EndedAction): Promise<void> => {
    open.delete(ended.actionId);
    await within(withinMs, endAction(db, ended)).catch((error: unknown) =>
      lost("how it ended", databaseFault(error).code, ended),
    );
  };

  /** Whoever reads of its beginning must not take it for done. */
  const endAsInterrupted = (actionId: string): EndedAction => ({
    actionId,
    outcome: "interrupted",
    affected: 0,
    eventIds: [],
    error: null,
  });

  return {
    actor,
    async begin(deed) {
      const begun: BegunAction = { actionId: newId(), actor, surface, host, ...deed };
      const { actionId } = begun;
      const written = beginAction(db, begun);
      try {
        await within(withinMs, written);
        open.add(actionId);
        return actionId;
      } catch (error) {
        // It may be written later all the same.
        written.then(() => endAction(db, endAsInterrupted(actionId))).catch(() => {});
        const { kind, code } = databaseFault(error);
        if (kind !== "unavailable") {
          throw new NotAudited(`nothing was done: the audit log refuses the record (${code})`, { cause: error });
        }
        if (!allowsUnrecorded) {
          const hint = "`pause` takes --unrecorded for emergencies";
          throw new NotAudited(`nothing was done: Postgres is away (${code}), and with it the audit log; ${hint}`, {
            cause: error,
          });
        }
        lost("what follows", code, { ...begun, at: new Date().toISOString() });
        return undefined;
      }
    },
    end,
    async close() {
      await Promise.all([...open].map((actionId) => end(endAsInterrupted(actionId))));
    },
  };
};
