import { join } from "node:path";
import type { InboxKind } from "./options.ts";

export interface InboxOptions {
  readonly kind: InboxKind;
  /** The command of the project's own inbox. */
  readonly own: readonly string[];
  /** Where its mails are kept. */
  readonly directory: string;
  readonly host: string;
  readonly smtpPort: number;
  readonly httpPort: number;
  /** Where a program of this name is on the PATH; null: nowhere. */
  readonly which: (name: string) => string | null;
}

/**
 * The command that catches mails on a port and shows them on another.
 *
 * @throws if Mailpit is asked for and is not there; the message says what to do
 */
export const inboxCommand = (options: InboxOptions): readonly string[] => {
  const { kind, own, directory, host, smtpPort, httpPort, which } = options;
  if (kind === "own") {
    const ports = ["--smtp-port", String(smtpPort), "--http-port", String(httpPort)];
    return [...own, "--directory", directory, "--host", host, ...ports];
  }
  const mailpit = which("mailpit");
  if (mailpit === null) {
    throw new Error(
      "--inbox mailpit: there is no mailpit on the PATH. Install it (https://mailpit.axllent.org/docs/install/), or leave the option out: the inbox of this project needs nothing",
    );
  }
  const at = (ip: string, port: number) => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
  return [
    mailpit,
    ...["--smtp", at("127.0.0.1", smtpPort), "--listen", at(host, httpPort)],
    ...["--database", join(directory, "mailpit.db")],
    // As the own one: with a login of any name, or none.
    ...["--smtp-auth-accept-any", "--smtp-auth-allow-insecure"],
  ];
};
