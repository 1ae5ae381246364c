import { SMTPServer } from "smtp-server";
import type { Mailbox } from "./mailbox.ts";

const MAX_MAIL_BYTES = 25 * 1_048_576;
const CLOSE_TIMEOUT_MS = 500;

/** An error that SMTPServer reports with this reply code (RFC 5321, 4.2.3). */
const refusal = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode });

export interface MailCatcher extends AsyncDisposable {
  readonly port: number;
}

/** Accepts every mail on 127.0.0.1 and this port (0: any), for every recipient, with or without login. */
export const catchMail = async (mailbox: Mailbox, port: number): Promise<MailCatcher> => {
  const server = new SMTPServer({
    size: MAX_MAIL_BYTES,
    disabledCommands: ["STARTTLS"],
    authOptional: true,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? "anybody" }),
    disableReverseLookup: true,
    closeTimeout: CLOSE_TIMEOUT_MS,
    logger: false,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk);
      });
      stream.on("end", () => {
        if (stream.sizeExceeded) return done(refusal(552, "the mail is too large for this inbox"));
        const { mailFrom, rcptTo } = session.envelope;
        try {
          mailbox.add({
            from: mailFrom ? mailFrom.address : "",
            to: rcptTo.map(({ address }) => address),
            raw: Buffer.concat(chunks).toString("latin1"),
          });
          done();
        } catch (error) {
          console.error("a mail could not be stored:", error);
          done(refusal(452, "the mail could not be stored"));
        }
      });
    },
  });
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  // Once it listens, errors are those of single clients, and rejecting has no effect.
  server.on("error", reject);
  const listener = server.listen(port, "127.0.0.1", resolve);
  await listening;
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(done)),
  };
};
