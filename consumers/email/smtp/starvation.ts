import { askForConnection } from "./ask-for-connection.ts";
import type { SmtpFailure } from "./failure.ts";
import type { MailSession } from "./session.ts";

/** The time in which others have all the connections that the server grants. */
export interface Starvation {
  readonly isOn: boolean;
  /** For how long it has lasted, in ms; undefined: it is over. */
  readonly forMs: number | undefined;
  /** Asks for a connection until there is one, or the server is away. */
  begin(): void;
  end(): void;
}

export const createStarvation = (options: {
  readonly open: (signal: AbortSignal) => Promise<MailSession>;
  readonly onOpened: (session: MailSession) => void;
  readonly onRefused: (failure: SmtpFailure) => void;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Starvation => {
  let asking: AbortController | undefined;
  let since = 0;

  const ask = async (own: AbortController): Promise<void> => {
    const { signal } = own;
    const session = await askForConnection(() => options.open(signal), { signal, onRefused: options.onRefused });
    asking = undefined;
    if (session !== undefined) options.onOpened(session);
  };

  return {
    get isOn() {
      return asking !== undefined;
    },
    get forMs() {
      return asking === undefined ? undefined : options.now() - since;
    },
    begin() {
      if (asking !== undefined) return;
      asking = new AbortController();
      since = options.now();
      void ask(asking);
    },
    end: () => asking?.abort(),
  };
};
