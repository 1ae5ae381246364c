/** A mail, its entry's fields, and its delivery. */
export interface Piece {
  readonly number: number;
  readonly domain: string;
  raw: readonly string[];
  state: string;
  attempts: number;
  systemFailures: number;
  lastReason: string | null;
  changedAt: number;
  readonly madeAt: number;
}

/** The streams of a group: `delay` has a piece come back into its retries. */
export interface SimulatedStreams {
  readonly events: Piece[];
  readonly retries: Piece[];
  delay(piece: Piece, delayMs: number): void;
}

export const simulatedStreams = (): SimulatedStreams => {
  const retries: Piece[] = [];
  const delay = (piece: Piece, delayMs: number) => {
    // As the promoter has it.
    setTimeout(() => retries.push(piece), delayMs + 125);
  };
  return { events: [], retries, delay };
};
