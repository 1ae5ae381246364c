import { SMTPServer } from "smtp-server";
import type { Mailbox } from "./mailbox.ts";

/** Takes every mail that comes to 127.0.0.1 on this port, for whomever it is. Returns a function that ends it. */
export const catchMail = (mailbox: Mailbox, port: number): Promise<() => Promise<void>> => {
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authOptional: true,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? "anybody" }),
    disableReverseLookup: true,
    logger: false,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mailbox.add({
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString("utf8"),
        });
        done();
      });
    },
  });
  // A client that goes away in the middle is no reason to end.
  server.on("error", () => {});
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => resolve(() => new Promise((done) => server.close(() => done()))));
  });
};
