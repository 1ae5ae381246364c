/** Mails of a trial, at least: so many, and one for each connection. More are no better known. */
export const LEAST_MAILS = 4;
const MOST_MAILS = 64;

/** How long mails take that begin while so many connections are busy: as a logarithm, so that a few slow recipients count little. */
export class Times {
  readonly connections: number;
  count = 0;
  mean = 0;

  constructor(connections: number) {
    this.connections = connections;
  }

  get enough(): number {
    return Math.max(LEAST_MAILS, this.connections);
  }

  add(time: number): void {
    this.count = Math.min(this.count + 1, Math.max(MOST_MAILS, 2 * this.connections));
    this.mean += (time - this.mean) / this.count;
  }
}

/** How much more is sent with fewer connections, as a logarithm. */
export const gainOf = (fewer: Times, more: Times): number =>
  more.mean - fewer.mean - Math.log(more.connections / fewer.connections);
