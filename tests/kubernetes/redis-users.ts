import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { randomHex } from "../../observability/trace-context.ts";
import { k8s } from "./objects.ts";

/** A user of Redis with the rights of one of the local overlay's, on another pipeline. */
export interface RedisUser {
  readonly username: string;
  readonly password: string;
}

/** What `users.acl` says of a user, without its state and its password. */
export const rightsOf = (name: string): readonly string[] => {
  const lines = readFileSync(join(k8s, "overlays", "local", "users.acl"), "utf8").split("\n");
  const line = lines.find((one) => one.startsWith(`user ${name} on `));
  if (line === undefined) throw new Error(`users.acl has no user ${name}`);
  return line
    .split(" ")
    .slice(3)
    .filter((rule) => !rule.startsWith(">"));
};

export const makeRedisUser = async (redis: Redis, name: string, streamName: string): Promise<RedisUser> => {
  const user = { username: `${name}-${randomHex(4)}`, password: randomHex(16) };
  const rights = rightsOf(name).map((rule) => rule.replace("{signup}", `{${streamName}}`));
  await redis.call("ACL", "SETUSER", user.username, "on", `>${user.password}`, ...rights);
  return user;
};
