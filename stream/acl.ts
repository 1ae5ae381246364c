import { type Keys, keysOf } from "./keys.ts";

/** The users of Redis: one for each kind of process, and two for what only counts. */
export type RedisUser = "api" | "consumer" | "ops" | "keda" | "metrics";

type KeyKind = Exclude<keyof Keys, "status">;

/** Commands, and the keys on which they are allowed. A command with several keys needs one line that has all of them. */
interface Grant {
  readonly on: readonly KeyKind[];
  readonly may: readonly string[];
}

interface Rights {
  /** Commands without a key. HELLO and AUTH need no right. */
  readonly may: readonly string[];
  /** Whether PUBLISH or SUBSCRIBE may name the channel of states. */
  readonly hasChannel?: true;
  readonly grants: readonly Grant[];
}

/** What the client sends at each connect, and what tells whether Redis may lose entries. */
const CONNECTION = ["info", "client|setname"] as const;
/** Each EVALSHA is refused unless one line has all keys of the script; what the script calls is checked on its own. */
const SCRIPT = ["evalsha", "eval"] as const;

/**
 * What each user may do, and nothing else: the only place. The ACL files, the local system, the tests and the manifests follow from
 * it. A line becomes a selector, so a command is allowed on the keys of its own line only: `SET` on the key of the reporter is
 * no `SET` on a stream. `tests/least-privilege.test.ts` names what is missing, and what nobody uses.
 */
export const REDIS_RIGHTS: Readonly<Record<RedisUser, Rights>> = {
  api: {
    may: [...CONNECTION, "ping", "time", "multi", "exec", "subscribe", "publish"],
    hasChannel: true,
    grants: [
      { on: ["events", "retriesStream"], may: ["xadd", "xrange", "xpending", "xtrim", ...SCRIPT] },
      { on: ["events", "retriesStream"], may: ["xgroup|create", "xgroup|setid", "xinfo|groups", "xinfo|stream"] },
      { on: ["events", "retriesStream"], may: ["xinfo|consumers"] },
      { on: ["retrySet"], may: ["zcard", "zcount"] },
      { on: ["dead"], may: ["xlen"] },
      { on: ["paused"], may: ["smembers", "sismember", "sadd", "srem"] },
      { on: ["pausedFor"], may: ["hget", "hset"] },
      { on: ["rates"], may: ["hgetall", "hset", "hdel"] },
      { on: ["limit", "admitted"], may: ["get", "set", ...SCRIPT] },
      { on: ["admitted"], may: ["del"] },
      { on: ["reporter"], may: ["set", "get", "pexpire", "del"] },
      { on: ["apis"], may: ["hset", "hdel", "pexpire"] },
      { on: ["signsOfLife"], may: ["zrange"] },
      { on: ["reports", "history"], may: ["hgetall"] },
    ],
  },
  consumer: {
    may: [...CONNECTION, "time", "multi", "exec", "publish", "client|id", "client|unblock"],
    hasChannel: true,
    grants: [
      { on: ["events", "retriesStream"], may: ["xreadgroup", "xack", "xclaim", "xpending", "xrange"] },
      { on: ["events", "retriesStream"], may: ["xgroup|create", "xgroup|delconsumer", "xinfo|consumers"] },
      { on: ["events"], may: ["xgroup|setid", "xinfo|groups"] },
      { on: ["retriesStream"], may: ["xadd", "type"] },
      { on: ["retrySet"], may: ["zadd", "zrem", "zrangebyscore", "type"] },
      { on: ["dead"], may: ["xadd", "type"] },
      { on: ["deadIndex"], may: ["hset", "hexists", "type"] },
      { on: ["events", "retriesStream", "retrySet", "dead", "deadIndex"], may: SCRIPT },
      { on: ["signsOfLife"], may: ["zadd", "zrem", "zrange", "zrangebyscore", "pexpire"] },
      { on: ["reports"], may: ["hset", "hdel", "hgetall", "pexpire"] },
      { on: ["history"], may: ["hincrby", "hkeys", "hdel", "pexpire"] },
      { on: ["signsOfLife", "reports", "history"], may: SCRIPT },
      { on: ["sent"], may: ["set", "mget"] },
      { on: ["trials"], may: ["sadd", "expire", "smembers", "del"] },
      { on: ["isolation"], may: ["set", "get", "pexpire", "del"] },
      { on: ["probes"], may: ["set", "get", "pttl", "del"] },
      { on: ["shares"], may: ["hset", "hget", "hexists", "hgetall", "hdel", "pexpire", ...SCRIPT] },
      { on: ["lead"], may: ["hset", "hgetall", "hdel", "pexpire", ...SCRIPT] },
      { on: ["paused"], may: ["smismember", "sadd", "srem"] },
      { on: ["pausedFor"], may: ["hsetnx"] },
      { on: ["rates"], may: ["hmget"] },
      { on: ["budget"], may: ["hgetall", "hset", "hdel", "type", "pexpire"] },
      { on: ["budgetConsumers"], may: ["zadd", "zcard", "zremrangebyscore", "type", "pexpire"] },
      { on: ["budget", "budgetConsumers"], may: SCRIPT },
      { on: ["quota"], may: ["zadd", "zcard", "zscore", "zrange", "zremrangebyscore", "pexpire"] },
      { on: ["quotaRefused"], may: ["incr", "pexpire"] },
      { on: ["quotaOnly"], may: ["set", "pexpire", "del"] },
      { on: ["quotaOnly", "quota", "quotaRefused"], may: SCRIPT },
    ],
  },
  ops: {
    may: [...CONNECTION, "time", "multi", "exec", "subscribe", "publish"],
    hasChannel: true,
    grants: [
      {
        on: ["events", "retriesStream"],
        may: ["xrange", "xpending", "xinfo|groups", "xinfo|consumers", "xinfo|stream"],
      },
      { on: ["events"], may: ["xgroup|destroy", "xread"] },
      { on: ["retriesStream"], may: ["xadd", "type"] },
      { on: ["retrySet"], may: ["zcard", "zcount"] },
      { on: ["dead"], may: ["xlen", "xrange", "xrevrange", "xdel", "type"] },
      { on: ["deadIndex"], may: ["hget", "hdel", "type"] },
      { on: ["dead", "deadIndex", "retriesStream"], may: SCRIPT },
      { on: ["sent", "retrySet", "retriesStream", "dead", "deadIndex"], may: ["unlink"] },
      { on: ["paused"], may: ["sismember", "sadd", "srem"] },
      { on: ["pausedFor"], may: ["hget", "hdel"] },
      { on: ["rates"], may: ["hset", "hdel"] },
      { on: ["signsOfLife"], may: ["zrange"] },
      { on: ["reports", "history", "apis"], may: ["hgetall"] },
    ],
  },
  keda: {
    // Its client asks a cluster for all slots, and each server which key of a command is which.
    may: [...CONNECTION, "ping", "cluster|slots", "cluster|shards", "command"],
    grants: [
      { on: ["events", "retriesStream"], may: ["xinfo|groups", "xpending", "xlen"] },
      // KEDA measures a list by a script that asks for the type first; a missing key counts as an empty list.
      { on: ["retrySet"], may: ["eval", "type", "zcard", "llen"] },
    ],
  },
  metrics: {
    may: [...CONNECTION, "ping"],
    grants: [
      { on: ["events", "retriesStream", "dead"], may: ["xlen", "xinfo|stream"] },
      { on: ["events", "retriesStream"], may: ["xinfo|groups"] },
      { on: ["retrySet"], may: ["zcard"] },
    ],
  },
};

export const REDIS_USERS: readonly RedisUser[] = ["api", "consumer", "ops", "keda", "metrics"];

/** The keys of a kind: `{signup}:retry:*`. */
const patternOf = (keys: Keys, kind: KeyKind): string => {
  const key = keys[kind];
  return typeof key === "string" ? key : key("*", "*");
};

const selectorOf = (keys: Keys, { on, may }: Grant): string =>
  `(${[...on.map((kind) => `~${patternOf(keys, kind)}`), ...may.map((command) => `+${command}`)].join(" ")})`;

/** The rules of rights in Redis' own words (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/). */
export const aclRulesOf = ({ may, hasChannel, grants }: Rights, streamName: string): readonly string[] => {
  const keys = keysOf(streamName);
  return [
    "resetkeys",
    "resetchannels",
    "-@all",
    ...may.map((command) => `+${command}`),
    ...(hasChannel === true ? [`&${keys.status}`] : []),
    ...grants.map((grant) => selectorOf(keys, grant)),
  ];
};

/**
 * A file for `aclfile` in redis.conf, with every user. `streamName` may be a pattern. `password`: what Redis takes for it, as in
 * `>secret`, `#<SHA-256>`, `nopass`; without one nobody can log in as that user until it is set. `first`: lines of other users.
 */
export const aclFile = (
  streamName: string,
  {
    password,
    first = [],
  }: { readonly password?: (user: RedisUser) => string; readonly first?: readonly string[] } = {},
): string => {
  const lines = REDIS_USERS.map((user) =>
    [
      `user ${user} on`,
      ...(password === undefined ? [] : [password(user)]),
      ...aclRulesOf(REDIS_RIGHTS[user], streamName),
    ].join(" "),
  );
  return `${[...first, ...lines].join("\n")}\n`;
};
