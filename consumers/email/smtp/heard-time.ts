/** Time in which this process heard what a server says: of a moment in which it did not run, as on a busy machine, little counts. */
export interface HeardTime {
  /** Monotonic, ms. */
  now(): number;
  /** Something waits for an answer from now on. Returns what ends that, and tells for how long it did, in ms. */
  listen(): () => number;
  /** This waits for an answer until it is over. */
  during<Result>(work: Promise<Result>): Promise<Result>;
}

const LOOK_EVERY_MS = 25;

export const createHeardTime = ({ now }: { /** Monotonic, ms. */ readonly now: () => number }): HeardTime => {
  let listening = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  let heardMs = 0;
  let lookedAt = now();
  const heard = (): number => {
    const ms = now() - lookedAt;
    // A look that is late comes before what the server has said meanwhile is read.
    return heardMs + (listening === 0 ? ms : Math.min(ms, LOOK_EVERY_MS));
  };
  const look = (): void => {
    heardMs = heard();
    lookedAt = now();
  };
  const listen = () => {
    if (listening === 0) look();
    listening += 1;
    timer ??= setInterval(look, LOOK_EVERY_MS);
    const startedAt = heard();
    return () => {
      const ms = heard() - startedAt;
      if (listening === 1) {
        look();
        clearInterval(timer);
        timer = undefined;
      }
      listening -= 1;
      return ms;
    };
  };
  return { now: heard, listen, during: (work) => work.finally(listen()) };
};
