/** What a pool knows of connections that fail for TLS: behind one address there may be several servers, one of them with a wrong certificate. */
export interface TlsFaults {
  /** One has failed. True: another one may be tried at once. */
  failed(): boolean;
  /** One is open. */
  opened(): void;
  /** The certificate that was refused, as far as it is known. */
  words(): string | undefined;
}

/** So many in a row that fail: then it is not one server of several. */
const IN_A_ROW = 5;
/** Others than the one that failed may be looked at: so often until it is found. */
const LOOKS = 6;
const LOOK_EVERY_MS = 60_000;

export const createTlsFaults = (deps: {
  /** Looks at the certificate of a server behind the address; undefined: that one is valid. */
  readonly describe: () => Promise<string | undefined>;
  /** Called with the words about a certificate, at most once a minute. */
  readonly onCertificate: (words: string) => void;
  /** Monotonic, ms. */
  readonly now: () => number;
}): TlsFaults => {
  const { describe, onCertificate, now } = deps;
  let inARow = 0;
  let words: string | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const look = async (): Promise<void> => {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const found = await describe();
      if (found === undefined) continue;
      words = found;
      return onCertificate(found);
    }
  };

  return {
    failed: () => {
      inARow += 1;
      if (now() - lookedAt >= LOOK_EVERY_MS) {
        lookedAt = now();
        void look();
      }
      return inARow < IN_A_ROW;
    },
    opened: () => {
      inARow = 0;
    },
    words: () => words,
  };
};
