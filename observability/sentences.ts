/*
 * What findings and alerts say in the same words. An alert has a template of Prometheus where a finding has a value, such as
 * `{{ $labels.group }}`.
 */

export const noConsumerRuns = (group: string): string => `No consumer of ${group} runs`;

/** The system behind a group, where it does not say which. */
export const unnamedSystem = (group: string): string => `the system that ${group} works with`;

export const isPaused = (group: string): string => `${group} is paused`;

/** `12 dead letters` of a group. */
export const deadLettersOf = (letters: string, group: string): string => `${letters} of ${group}`;

/** `2 domains refuse or defer`, `1 domain refuses or defers`. */
export const partiesRefuse = (partiesDo: string, noun: string, group: string): string =>
  `${partiesDo} every ${noun} of ${group}; what is for others flows`;

/** `12 mails wait`. */
export const oldestWaits = (piecesWait: string, age: string): string => `${piecesWait}, the oldest for ${age}`;

/** `3 mails`, `are`. */
export const areHeld = (pieces: string, be: string, group: string, reason: string): string =>
  `${pieces} of ${group} ${be} held (${reason})`;

/** `2 events have`. */
export const waitInOutbox = (eventsHave: string, time: string): string =>
  `${eventsHave} waited in the outbox ${time}: nobody publishes them, or more come than are published`;
