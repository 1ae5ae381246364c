import { createServer, type Socket } from "node:net";

/** Ways in which a mail server misbehaves. */
export const MAIL_FAULTS = [
  "421 to everybody",
  "451 greylisting",
  "452 too many",
  "552 mailbox full",
  "550 5.7.1 refused",
  "550 5.1.1 no such user",
  "535 at login",
  "cut before the 250, not taken",
  "cut before the 250, taken",
  "silence",
  "10 s late",
  "taken, the 250 comes 10 s late",
  "one connection only",
] as const;
export type MailFault = (typeof MAIL_FAULTS)[number];

export interface TakenMail {
  readonly eventId: string;
  readonly to: string;
  /** The fault that was in force when the mail was taken. */
  readonly during: string;
}

export interface ChaoticMailServer extends AsyncDisposable {
  readonly port: number;
  readonly taken: TakenMail[];
  /** Addresses that got a final no. */
  readonly refused: ReadonlySet<string>;
  misbehave(fault: MailFault | undefined): void;
}

const LATE_MS = 10_000;
const MESSAGE_ID = /^Message-ID: <([0-9a-f-]{36})\.welcome@/m;

/** Answers at RCPT, by fault. */
const AT_RCPT: Partial<Record<MailFault, string>> = {
  "451 greylisting": "451 4.7.1 come back later",
  "452 too many": "452 4.5.3 too many",
  "552 mailbox full": "552 5.2.2 mailbox full",
  "550 5.7.1 refused": "550 5.7.1 refused",
  "550 5.1.1 no such user": "550 5.1.1 no such user",
};

/** An SMTP server that does as it is told, and remembers what it took and whom it refused. */
export const startChaoticMailServer = async (currentFault: () => string): Promise<ChaoticMailServer> => {
  const taken: TakenMail[] = [];
  const refused = new Set<string>();
  const sockets = new Set<Socket>();
  let fault: MailFault | undefined;

  const server = createServer((socket) => {
    const say = (line: string) => socket.writable && socket.write(`${line}\r\n`);
    socket.on("error", () => {});
    if (fault === "one connection only" && sockets.size > 0) {
      say("421 4.3.2 too many connections");
      socket.end();
      return;
    }
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    let text = "";
    let to = "";
    let inBody = false;

    const onBody = (body: string): void => {
      const eventId = MESSAGE_ID.exec(body)?.[1] ?? "";
      const take = () => taken.push({ eventId, to, during: currentFault() });
      switch (fault) {
        case "cut before the 250, not taken":
          socket.resetAndDestroy();
          return;
        case "cut before the 250, taken":
          take();
          socket.resetAndDestroy();
          return;
        case "silence":
          return;
        case "taken, the 250 comes 10 s late":
          take();
          setTimeout(() => say("250 2.0.0 taken, told late"), LATE_MS);
          return;
        case "10 s late":
          setTimeout(() => {
            if (!socket.writable) return;
            take();
            say("250 2.0.0 taken, late");
          }, LATE_MS);
          return;
        default:
          take();
          say("250 2.0.0 taken");
      }
    };

    const onLine = (line: string): void => {
      const verb = line.slice(0, 4).toUpperCase();
      if (fault === "silence") return;
      if (fault === "421 to everybody") {
        say("421 4.3.2 going down");
        socket.end();
      } else if (verb === "EHLO") say("250-chaos\r\n250 PIPELINING");
      else if (verb === "MAIL") say(fault === "535 at login" ? "535 5.7.8 who are you" : "250 ok");
      else if (verb === "RCPT") {
        to = /<([^>]*)>/.exec(line)?.[1] ?? "";
        const answer = fault === undefined ? undefined : AT_RCPT[fault];
        if (answer?.startsWith("550")) refused.add(to);
        say(answer ?? "250 ok");
        if (answer !== undefined) to = "";
      } else if (verb === "DATA") {
        inBody = to !== "";
        say(inBody ? "354 go on" : "503 5.5.1 no recipient");
      } else if (verb === "QUIT") socket.end("221 bye\r\n");
      else say("250 ok");
    };

    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (;;) {
        const mark = inBody ? "\r\n.\r\n" : "\r\n";
        const end = text.indexOf(mark);
        if (end < 0) return;
        const piece = text.slice(0, end);
        text = text.slice(end + mark.length);
        if (!inBody) onLine(piece);
        else {
          inBody = false;
          onBody(piece);
        }
      }
    });
    if (fault === "silence") return;
    if (fault === "421 to everybody") {
      say("421 4.3.2 going down");
      socket.end();
    } else say("220 chaos ESMTP");
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return {
    port: await promise,
    taken,
    refused,
    misbehave(next) {
      const wasSilent = fault === "silence";
      fault = next;
      // What it never answered, it answers no more.
      if (wasSilent) for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
};
