import type { Socket } from "node:net";
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
  isOpen(): boolean;
  close(): void;
  /** Closes it by a reset (RST). */
  reset(): void;
}

/** A whole mail that has no answer yet. */
export interface ArrivingMail extends TakenMail {
  readonly connection: OpenConnection;
}

export type MailServerOptions = SMTPServerOptions & {
  /** Runs between the whole body and the 250: it may wait, throw a refusal, or end the connection. */
  readonly beforeReply?: (raw: string, mail: ArrivingMail) => Promise<void> | void;
  readonly listenOn?: number;
  /** False: `taken` stays empty, for runs that send more than memory holds. */
  readonly keepsMails?: boolean;
};

/** An error that the server answers by this code and these words (RFC 5321, 4.2.3). */
export const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode });

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly taken: TakenMail[];
  /** Connections that are open now, the oldest first; closing one gives its client no answer. */
  open(): readonly OpenConnection[];
  /** Connections that were made so far. */
  connections(): number;
  /** How many mails a given event id has had, by the Message-ID. */
  copiesOf(eventId: string): number;
  close(): Promise<void>;
}

export const parseMail = (raw: string): Promise<ParsedMail> => simpleParser(raw);

const connectionOf = ({ id, _socket }: { readonly id: string; readonly _socket: Socket }): OpenConnection => ({
  id,
  isOpen: () => _socket.writable,
  close: () => void _socket.destroy(),
  reset: () => void _socket.resetAndDestroy(),
});

/** The event of a welcome mail. */
const WELCOME_OF = /^Message-ID: <([^.>]+)\.welcome@/m;

const NO_CONNECTION: OpenConnection = { id: "", isOpen: () => false, close: () => {}, reset: () => {} };

/** A real SMTP server over TCP, by the library smtp-server. Its options make it refuse, wait or disconnect. */
export const startMailServer = async (options: MailServerOptions = {}): Promise<MailServer> => {
  const { beforeReply, listenOn = 0, keepsMails = true, ...serverOptions } = options;
  const taken: TakenMail[] = [];
  const copies = new Map<string, number>();
  let connections = 0;
  const open = (): readonly OpenConnection[] => [...server.connections].map(connectionOf);
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
          const { mailFrom, rcptTo } = session.envelope;
          const mail = { from: mailFrom ? mailFrom.address : "", to: rcptTo.map(({ address }) => address), raw };
          await beforeReply?.(raw, {
            ...mail,
            connection: open().find(({ id }) => id === session.id) ?? NO_CONNECTION,
          });
          if (keepsMails) {
            taken.push(mail);
            const eventId = WELCOME_OF.exec(raw)?.[1] ?? "";
            copies.set(eventId, (copies.get(eventId) ?? 0) + 1);
          }
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
    open,
    connections: () => connections,
    copiesOf: (eventId) => copies.get(eventId) ?? 0,
    close,
    [Symbol.asyncDispose]: close,
  };
};
