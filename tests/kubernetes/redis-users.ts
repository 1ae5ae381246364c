import type { Redis } from "ioredis";
import { randomHex } from "../../observability/trace-context.ts";
import { aclRulesOf, REDIS_RIGHTS, type RedisUser as UserName } from "../../stream/acl.ts";

/** A user of Redis with the rights of one of ours, on another pipeline. */
export interface RedisUser {
  readonly username: string;
  readonly password: string;
}

export const makeRedisUser = async (redis: Redis, name: UserName, streamName: string): Promise<RedisUser> => {
  const user = { username: `${name}-${randomHex(4)}`, password: randomHex(16) };
  const rights = aclRulesOf(REDIS_RIGHTS[name], streamName);
  await redis.call("ACL", "SETUSER", user.username, "on", `>${user.password}`, ...rights);
  return user;
};
