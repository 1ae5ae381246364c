/**
 * What KEDA's scalers read, as their sources list it (kedacore/keda, pkg/scalers: redis_streams_scaler.go, redis_scaler.go,
 * metrics_api_scaler.go, authentication/authentication_types.go). The API server accepts any key, and the operator only warns of
 * one that it does not know, and uses its defaults.
 */
const REDIS_CONNECTION = [
  ...["address", "addresses", "host", "hosts", "port", "ports", "username", "password"],
  ...["addressFromEnv", "addressesFromEnv", "hostFromEnv", "portFromEnv", "usernameFromEnv", "passwordFromEnv"],
  ...["databaseIndex", "enableTLS", "unsafeSsl"],
];

const KEYS: Readonly<Record<string, ReadonlySet<string>>> = {
  "redis-streams": new Set([
    ...REDIS_CONNECTION,
    ...["stream", "consumerGroup", "lagCount", "pendingEntriesCount", "streamLength", "activationLagCount"],
  ]),
  redis: new Set([...REDIS_CONNECTION, "listName", "listLength", "activationListLength"]),
  "metrics-api": new Set([
    ...["url", "valueLocation", "targetValue", "activationTargetValue", "format", "unsafeSsl"],
    ...["authMode", "authModes", "aggregateFromKubeServiceEndpoints", "aggregationType"],
  ]),
};

/** Where a Redis is: `redis-sentinel-streams` reads what `redis-streams` does, from the primary that sentinels name. */
const TOPOLOGY = /^redis-(?:sentinel|cluster)\b/;

/** How a trigger finds Redis; undefined if it reads something else. */
export const topologyOf = (type: string): string | undefined =>
  type.startsWith("redis") ? (TOPOLOGY.exec(type)?.[0] ?? "redis") : undefined;

/** A trigger's type, whatever the topology of Redis. */
export const plainType = (type: string): string => type.replace(TOPOLOGY, "redis");

/** The metadata keys of a trigger's type; undefined: a type that nothing here uses. */
export const triggerKeys = (type: string): ReadonlySet<string> | undefined => KEYS[plainType(type)];

/** What a TriggerAuthentication may give to these scalers. */
export const authenticationParameters: ReadonlySet<string> = new Set([
  ...["address", "addresses", "host", "hosts", "port", "ports", "username", "password"],
  ...["sentinelMaster", "sentinelUsername", "sentinelPassword"],
  ...["tls", "ca", "cert", "key", "keyPassword", "token"],
]);

/** What the documentation of a topology asks for (keda.sh/docs, "Redis Streams", with Sentinel, with Cluster): `address` is of one server. */
export const requiredParameters: Readonly<Record<string, readonly string[]>> = {
  redis: ["address"],
  "redis-sentinel": ["addresses", "sentinelMaster"],
  "redis-cluster": ["addresses"],
};
