/**
 * The keys of a pipeline in Redis. They share one hash tag, so that a Redis Cluster keeps them in one slot and scripts may
 * use all of them.
 */
export interface Keys {
  /** The log of events: every group reads it. Stream. */
  readonly events: string;
  /** A copy of the pauses in Postgres, and `*` while it is complete. Set. */
  readonly paused: string;
  /** Why groups are paused that nobody paused by hand, by group. Hash. */
  readonly pausedFor: string;
  /** A copy of the rates in Postgres that operators ordered, by budget, and `*` while it is complete. Hash. */
  readonly rates: string;
  /** `event_id state` at each change, a line each, for live pages. Pub/Sub channel; nothing depends on it. */
  readonly status: string;
  /** The api process that currently reports the gauges of shared state. String, seconds. */
  readonly reporter: string;
  /** What keeps each api from its work, as it says itself; or that nothing does. Hash, seconds. */
  readonly apis: string;
  /** Entries of a group that wait for their next attempt, scored by due time in ms of Redis' clock. Sorted set. */
  retrySet(group: string): string;
  /** Due retries, redrives, released and reconciled entries of a group, queued again. Stream. */
  retriesStream(group: string): string;
  /** Dead letters of a group. Stream. */
  dead(group: string): string;
  /** Event id -> id of its dead letter. Hash. */
  deadIndex(group: string): string;
  /** Notes that the work was done while the ledger was unavailable. String, 7 days. */
  sent(group: string, eventId: string): string;
  /** The consumers in which the work of a suspect began, with how many others. Set, an hour. */
  trials(group: string, eventId: string): string;
  /** The consumer that runs suspects of the group now that have been tried. String, seconds. */
  isolation(group: string): string;
  /** That a consumer runs suspects now, tried or not. String, seconds. */
  running(group: string, consumer: string): string;
  /** How often a system was asked to which each question may do harm, until it may be asked again. String, minutes. */
  probes(group: string): string;
  /** What each pool has of what a system grants to few, and which of them ask for one more. Hash, seconds. */
  shares(system: string): string;
  /** Which consumer of a group has all that a system allows, and what each does. Hash, minutes. */
  lead(system: string, group: string): string;
  /** When each consumer of a group was last heard of, in ms of Redis' clock. Sorted set, an hour. */
  signsOfLife(group: string): string;
  /** What each consumer of a group does, as it says itself. Hash, an hour. */
  reports(group: string): string;
  /** Pieces that a group finished, by minute and by the time that they took: the last hour. Hash, two hours. */
  history(group: string): string;
  /** A budget of work that groups share, by its name. Hash, a day. */
  budget(name: string): string;
  /** The consumers that share it, by when they asked last. Sorted set, a day. */
  budgetConsumers(name: string): string;
  /** The only piece of work that a quota has counted in its window, and when; `*` if there are more. String, a window. */
  quotaOnly(name: string): string;
  /** All of them, by when, if there are more. Sorted set, a window. */
  quota(name: string): string;
  /** How many it has refused in this window. String, a window. */
  quotaRefused(name: string): string;
  /** When a limit on requests is whole again, in ms of Redis' clock; by the limit's name and a keyed digest. String, until then. */
  limit(name: string, digest: string): string;
  /** Requests that were admitted, by a keyed digest of what they are about, with its own limit. String, an hour. */
  admitted(digest: string): string;
}

export const keysOf = (streamName: string): Keys => {
  const tag = `{${streamName}}`;
  return {
    events: `${tag}:events`,
    paused: `${tag}:paused`,
    pausedFor: `${tag}:paused-for`,
    rates: `${tag}:rates`,
    status: `${tag}:status`,
    reporter: `${tag}:reporter`,
    apis: `${tag}:apis`,
    retrySet: (group) => `${tag}:retry:${group}`,
    retriesStream: (group) => `${tag}:retries:${group}`,
    dead: (group) => `${tag}:dead:${group}`,
    deadIndex: (group) => `${tag}:dead-index:${group}`,
    sent: (group, eventId) => `${tag}:sent:${group}:${eventId}`,
    trials: (group, eventId) => `${tag}:trials:${group}:${eventId}`,
    isolation: (group) => `${tag}:isolation:${group}`,
    running: (group, consumer) => `${tag}:isolation:${group}:${consumer}`,
    probes: (group) => `${tag}:probes:${group}`,
    shares: (system) => `${tag}:shares:${system}`,
    lead: (system, group) => `${tag}:lead:${system}:${group}`,
    signsOfLife: (group) => `${tag}:signs-of-life:${group}`,
    reports: (group) => `${tag}:reports:${group}`,
    history: (group) => `${tag}:history:${group}`,
    budget: (name) => `${tag}:budget:${name}`,
    budgetConsumers: (name) => `${tag}:budget-consumers:${name}`,
    quotaOnly: (name) => `${tag}:quota-only:${name}`,
    quota: (name) => `${tag}:quota:${name}`,
    quotaRefused: (name) => `${tag}:quota-refused:${name}`,
    limit: (name, digest) => `${tag}:limit:${name}:${digest}`,
    admitted: (digest) => `${tag}:admitted:${digest}`,
  };
};
