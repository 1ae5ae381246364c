import type { Database } from "../database/connection.ts";

/** Loses answers of claims. Such a claim has had its effect: the deliveries are its consumer's, which does not know it. */
export interface LostAnswers {
  /** The answer of one more claim is lost. */
  lose(): void;
  /** No more are lost. */
  end(): void;
  /** The database, as a consumer has it. */
  on(db: Database): Database;
}

/** Of a claim that has taken something: of any delivery, or of plain ones alone (`claim-plain.ts`), whose rows have no verdict. */
const hasTaken = (row: Record<string, unknown>): boolean =>
  row["verdict"] === "take" || (row["verdict"] === undefined && "unanswered" in row && "fence" in row);

export const createLostAnswers = (): LostAnswers => {
  let toLose = 0;
  return {
    lose: () => {
      toLose += 1;
    },
    end: () => {
      toLose = 0;
    },
    on: (db) =>
      db.withPlugin({
        transformQuery: ({ node }) => node,
        transformResult: async ({ result }) => {
          if (toLose === 0 || !result.rows.some(hasTaken)) return result;
          toLose -= 1;
          throw Object.assign(new Error("the answer was lost"), { code: "CONNECTION_CLOSED" });
        },
      }),
  };
};
