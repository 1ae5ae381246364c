import { type Erasure, eraseUser, findUserIds } from "../../database/users/erase.ts";
import { audited } from "./audited.ts";
import { NotFound, type Operator } from "./operator.ts";

const eraseById = audited({
  name: "erase",
  describe: ([userId]) => ({ arguments: { user: userId } }),
  run: ({ db }: Operator, userId: string): Promise<Erasure> => eraseUser(db, userId),
  resultOf: ({ userDeleted, cancelled }, [userId]) => ({
    affected: Number(userDeleted) + cancelled.length,
    eventIds: [userId],
  }),
});

/**
 * Erases the one user of that id, address or name.
 *
 * @throws {NotFound} if there is none, or several
 */
export const erase = async (operator: Operator, wanted: string): Promise<Erasure> => {
  const [userId, ...others] = await findUserIds(operator.db, wanted);
  if (userId === undefined) throw new NotFound("there is no such user");
  if (others.length > 0) {
    throw new NotFound(`several users match: ${[userId, ...others].join(", ")}; name one by its id`);
  }
  return eraseById(operator, userId);
};
