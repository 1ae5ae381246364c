/**
 * The names of everything that a pipeline keeps in Redis. One hash tag, so that a Redis Cluster holds a pipeline in one
 * slot and scripts may touch all of its keys.
 */
export interface Keys {
  /** The log of events: every group reads it. Stream. */
  readonly events: string;
  /** Groups that are paused. Set. */
  readonly paused: string;
  /** `event_id state` at each change, for live pages. Pub/Sub channel; nothing depends on it. */
  readonly status: string;
  /** The api process that reports the gauges of shared state at present. String, seconds. */
  readonly reporter: string;
  /** Entries of a group that wait for their next attempt, scored by due time in ms of Redis' clock. Sorted set. */
  retrySet(group: string): string;
  /** Due retries, redrives, released and reconciled entries of a group, queued again. Stream. */
  retriesStream(group: string): string;
  /** Dead letters of a group. Stream. */
  dead(group: string): string;
  /** Event id -> id of its dead letter. Hash. */
  deadIndex(group: string): string;
  /** Says that the work was done while the ledger could not be written. String, 7 days. */
  sent(group: string, eventId: string): string;
}

export const keysOf = (streamName: string): Keys => {
  const tag = `{${streamName}}`;
  return {
    events: `${tag}:events`,
    paused: `${tag}:paused`,
    status: `${tag}:status`,
    reporter: `${tag}:reporter`,
    retrySet: (group) => `${tag}:retry:${group}`,
    retriesStream: (group) => `${tag}:retries:${group}`,
    dead: (group) => `${tag}:dead:${group}`,
    deadIndex: (group) => `${tag}:dead-index:${group}`,
    sent: (group, eventId) => `${tag}:sent:${group}:${eventId}`,
  };
};
