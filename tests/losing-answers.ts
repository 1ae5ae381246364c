import type { Database } from "../database/connection.ts";

export type Asked = "claim" | "settlement";

/** Loses answers of Postgres. What was asked has had its effect, and its consumer does not know it. */
export interface LostAnswers {
  /** The answer to one more of them is lost. */
  lose(asked: Asked): void;
  /** Every answer is lost, as if the link broke behind Postgres, until `end`. */
  loseAll(): void;
  /** No more are lost. */
  end(): void;
  /** The database, as a consumer has it. */
  on(db: Database): Database;
}

type Row = Record<string, unknown>;

const SIGNS: Readonly<Record<Asked, (row: Row) => boolean>> = {
  /** Of a claim that has taken something: of any delivery, or of plain ones alone (`claim-plain.ts`), whose rows have no verdict. */
  claim: (row) => row["verdict"] === "take" || (row["verdict"] === undefined && "unanswered" in row && "fence" in row),
  /** Of any outcome, or of what is done (`settle-plain.ts`), whose rows have the event's id alone. */
  settlement: (row) =>
    "event_id" in row && (Object.keys(row).length === 1 || (row["result"] === "applied" && !("is_final" in row))),
};

export const createLostAnswers = (): LostAnswers => {
  const toLose: Record<Asked, number> = { claim: 0, settlement: 0 };
  let isCut = false;
  const isLost = (rows: readonly Row[]): boolean => {
    if (isCut) return true;
    const asked = (["claim", "settlement"] as const).find((each) => toLose[each] > 0 && rows.some(SIGNS[each]));
    if (asked !== undefined) toLose[asked] -= 1;
    return asked !== undefined;
  };
  return {
    lose: (asked) => {
      toLose[asked] += 1;
    },
    loseAll: () => {
      isCut = true;
    },
    end: () => {
      Object.assign(toLose, { claim: 0, settlement: 0 });
      isCut = false;
    },
    on: (db) =>
      db.withPlugin({
        transformQuery: ({ node }) => node,
        transformResult: async ({ result }) => {
          if (!isLost(result.rows)) return result;
          throw Object.assign(new Error("the answer was lost"), { code: "CONNECTION_CLOSED" });
        },
      }),
  };
};
