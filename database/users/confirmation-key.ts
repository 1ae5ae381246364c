import { createHmac } from "node:crypto";
import { type Database, statement } from "../connection.ts";

const find = statement<{ key: Buffer }, []>("select key from signing_keys where name = 'confirmation'");

/**
 * The key that signs links to confirm an address: the database's own, mixed with the setting's secret if there is one.
 * Read at the first call, again only if that failed. With a secret, reading the database is not enough to make a link.
 *
 * @throws the driver's error if the database is unavailable
 */
export const createConfirmationKey = (db: Database, secret: string | undefined): (() => Promise<Buffer>) => {
  let key: Promise<Buffer> | undefined;

  const read = async (): Promise<Buffer> => {
    const [row] = await find(db);
    if (row === undefined) throw new Error("the database has no key for confirmations");
    return createHmac("sha256", row.key)
      .update(`confirmation:${secret ?? ""}`)
      .digest();
  };

  return () => {
    key ??= read().catch((error: unknown) => {
      key = undefined;
      throw error;
    });
    return key;
  };
};
