/** For connections: what they would log is said by the command, which store is away, and why. */
export const QUIET = { info: () => {}, warn: () => {} };
