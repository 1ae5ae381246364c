/**
 * `bun bench/smtp-sink.ts PORT DELAY_MS MARK...`: an SMTP server that accepts every mail and keeps none, at the lowest
 * cost. The answer to a body comes DELAY_MS later. It prints `ready`, then `MARK MS` each time that mails to so many
 * different people have been taken, with the clock's milliseconds.
 */
const [port = 0, delayMs = 0, ...marks] = process.argv.slice(2).map(Number);

const recipients = new Set<string>();

const take = (recipient: string): void => {
  const before = recipients.size;
  const now = recipients.add(recipient).size;
  if (now > before && marks.includes(now)) {
    process.stdout.write(`${now} ${performance.timeOrigin + performance.now()}\n`);
  }
};

const ANSWERS: Readonly<Record<string, string>> = {
  EHLO: "250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
  HELO: "250 sink\r\n",
  MAIL: "250 2.1.0 ok\r\n",
  RCPT: "250 2.1.5 ok\r\n",
  DATA: "354 go on\r\n",
  RSET: "250 2.0.0 ok\r\n",
  NOOP: "250 2.0.0 ok\r\n",
  QUIT: "221 2.0.0 bye\r\n",
};
const TAKEN = "250 2.0.0 taken\r\n";
const BODY_END = "\r\n.\r\n";

interface Session {
  text: string;
  recipient: string;
  inBody: boolean;
  /** A body is being answered: what the client has sent beyond it waits. */
  isWaiting: boolean;
  isOver: boolean;
}

/** Reads what is there, and returns the answers to it: many commands may come in one piece (RFC 2920). */
const read = (session: Session, answerLater: () => void): string => {
  let answers = "";
  while (!session.isWaiting) {
    const mark = session.inBody ? BODY_END : "\r\n";
    const end = session.text.indexOf(mark);
    if (end < 0) break;
    const piece = session.text.slice(0, end);
    session.text = session.text.slice(end + mark.length);
    if (session.inBody) {
      session.inBody = false;
      if (delayMs > 0) {
        session.isWaiting = true;
        answerLater();
      } else {
        take(session.recipient);
        answers += TAKEN;
      }
      continue;
    }
    const verb = piece.slice(0, 4).toUpperCase();
    if (verb === "RCPT") session.recipient = piece.slice(piece.indexOf("<") + 1, piece.indexOf(">"));
    session.inBody = verb === "DATA";
    session.isOver = verb === "QUIT";
    answers += ANSWERS[verb] ?? "502 5.5.1 not known\r\n";
  }
  return answers;
};

Bun.listen<Session>({
  hostname: "127.0.0.1",
  port,
  socket: {
    open(socket) {
      socket.data = { text: "", recipient: "", inBody: false, isWaiting: false, isOver: false };
      socket.write("220 sink ESMTP\r\n");
    },
    data(socket, chunk) {
      const session = socket.data;
      session.text += chunk.toString("latin1");
      const answerLater = () => {
        setTimeout(() => {
          take(session.recipient);
          session.isWaiting = false;
          socket.write(TAKEN + read(session, answerLater));
        }, delayMs);
      };
      const answers = read(session, answerLater);
      if (answers !== "") socket.write(answers);
      if (session.isOver) socket.end();
    },
  },
});
process.stdout.write("ready\n");
