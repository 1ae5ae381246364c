import { askForConnection } from "./ask-for-connection.ts";
import type { SmtpFailure } from "./failure.ts";
import type { MailSession } from "./session.ts";

/** The time in which others have all the connections that the server grants. */
export interface Starvation {
  readonly isOn: boolean;
  /** Asks for a connection until there is one, or the server is away. */
  begin(): void;
  end(): void;
}

export const createStarvation = (options: {
  readonly open: (signal: AbortSignal) => Promise<MailSession>;
  readonly onOpened: (session: MailSession) => void;
  readonly onRefused: (failure: SmtpFailure) => void;
}): Starvation => {
  let asking: AbortController | undefined;

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
    begin() {
      if (asking !== undefined) return;
      asking = new AbortController();
      void ask(asking);
    },
    end: () => asking?.abort(),
  };
};
