import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** A mail that a server took. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

export interface OpenConnection {
  /** The session's id. */
  readonly id: string;
  close(): void;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly taken: TakenMail[];
  /** Connections that are open now; closing one gives its client no answer. */
  open(): readonly OpenConnection[];
  /** Connections that were made so far. */
  connections(): number;
  /** How many mails a given event id has had, by the Message-ID. */
  copiesOf(eventId: string): number;
  close(): Promise<void>;
}

export const parseMail = (raw: string): Promise<ParsedMail> => simpleParser(raw);

/** A real SMTP server over TCP. `beforeReply` runs between the whole body and the 250: it may wait, or throw a refusal. */
export const startMailServer = async (
  options: SMTPServerOptions & {
    readonly beforeReply?: (raw: string) => Promise<void> | void;
    readonly listenOn?: number;
  } = {},
): Promise<MailServer> => {
  const { beforeReply, listenOn = 0, ...serverOptions } = options;
  const taken: TakenMail[] = [];
  let connections = 0;
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    logger: false,
    ...serverOptions,
    onConnect: (session, done) => {
      connections += 1;
      if (serverOptions.onConnect) serverOptions.onConnect(session, done);
      else done();
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", async () => {
        const raw = Buffer.concat(chunks).toString("utf8");
        try {
          await beforeReply?.(raw);
          const { mailFrom, rcptTo } = session.envelope;
          taken.push({ from: mailFrom ? mailFrom.address : "", to: rcptTo.map(({ address }) => address), raw });
          done();
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)));
        }
      });
    },
  });
  // A client that goes away in the middle is part of many tests.
  server.on("error", () => {});
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(listenOn, "127.0.0.1", () => {
    const address = server.server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  const port = await promise;
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      // It would wait for clients that keep their connections for the next mail.
      for (const { _socket } of server.connections) _socket.destroy();
    });
  return {
    port,
    taken,
    open: () => [...server.connections].map(({ id, _socket }) => ({ id, close: () => void _socket.destroy() })),
    connections: () => connections,
    copiesOf: (eventId) => taken.filter(({ raw }) => raw.includes(`Message-ID: <${eventId}.welcome@`)).length,
    close,
    [Symbol.asyncDispose]: close,
  };
};
