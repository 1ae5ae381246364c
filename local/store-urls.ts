import type { Given } from "./given.ts";
import { asDatabaseRole } from "./postgres.ts";
import { asRedisUser } from "./redis.ts";

/** Where a part finds the stores. */
export interface StoreUrls {
  readonly DATABASE_URL: string;
  readonly REDIS_URL: string;
}

/**
 * The stores' addresses for each part: its own role and its own user where the store is the system's own. A store of the person's
 * is used as they gave it.
 */
export const storeUrls = (
  given: Pick<Given, "has">,
  { database, redis }: { readonly database: string; readonly redis: string },
): Readonly<Record<"migrate" | "api" | "consumer" | "ops", StoreUrls>> => {
  const of = (part: "api" | "consumer" | "ops"): StoreUrls => ({
    DATABASE_URL: given.has("DATABASE_URL") ? database : asDatabaseRole(database, `signup_${part}`),
    REDIS_URL: given.has("REDIS_URL") ? redis : asRedisUser(redis, part),
  });
  return {
    // Makes the roles, so as the administrator.
    migrate: { DATABASE_URL: database, REDIS_URL: redis },
    api: of("api"),
    consumer: of("consumer"),
    ops: of("ops"),
  };
};
