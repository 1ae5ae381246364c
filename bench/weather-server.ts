import type { Socket } from "bun";
import type { Answer } from "../tests/refused-recipients/shapes.ts";

export type { Answer } from "../tests/refused-recipients/shapes.ts";

/** How a mail server behaves; what is not given is answered well, at once. */
export interface Weather {
  /** `open`: how many connections there are with this one; `number`: how many there were. */
  readonly onConnect?: (connection: { readonly open: number; readonly number: number }) => Answer | undefined;
  readonly onMailFrom?: (connection: { readonly open: number; readonly mails: number }) => Answer | undefined;
  readonly onRcpt?: (address: string) => Answer | undefined;
  /** At DATA. */
  readonly onData?: (address: string) => Answer | undefined;
  /** After the 354, when the first piece of a body is there. */
  readonly onBody?: (address: string) => Answer | undefined;
  /** When a body is whole. */
  readonly onWhole?: (address: string) => Answer | undefined;
  /** The answer to a whole body comes so much later, in ms. */
  readonly mailMs?: number;
  readonly onTaken?: (address: string) => void;
  readonly pipelines?: boolean;
}

export interface WeatherServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that were made so far. */
  connections(): number;
}

interface Session {
  text: string;
  recipient: string;
  inBody: boolean;
  mails: number;
  /** Something is being answered: what the client sent beyond it waits. */
  isWaiting: boolean;
  isOver: boolean;
}

const BODY_END = "\r\n.\r\n";

/** A mail server with weather of a script, cheap enough to be no part of what is measured. */
export const startWeatherServer = (weather: Weather): WeatherServer => {
  const { onConnect, onMailFrom, onRcpt, onData, onBody, onWhole, onTaken, mailMs = 0, pipelines = true } = weather;
  let open = 0;
  let number = 0;

  const say = (socket: Socket<Session>, text: string): void => {
    if (!socket.data.isOver) socket.write(`${text}\r\n`);
  };

  /** Gives the answer when it is time, and goes on; never, where it has no reply. */
  const answer = (socket: Socket<Session>, given: Answer, usual: string): void => {
    const { afterMs = 0, reply, ends } = given;
    const session = socket.data;
    session.isWaiting = true;
    const act = () => {
      if (reply !== undefined) say(socket, reply);
      if (ends === "reset") socket.terminate();
      else if (ends === "close") socket.end();
      else if (reply !== undefined || afterMs > 0) {
        if (reply === undefined) say(socket, usual);
        session.isWaiting = false;
        read(socket);
      }
    };
    if (afterMs > 0) setTimeout(act, afterMs);
    else act();
  };

  const take = (socket: Socket<Session>): void => {
    const session = socket.data;
    session.inBody = false;
    session.mails += 1;
    const given = onWhole?.(session.recipient);
    if (given !== undefined) {
      answer(socket, given, "250 2.0.0 taken");
      return;
    }
    const taken = () => {
      if (session.isOver) return;
      onTaken?.(session.recipient);
      say(socket, "250 2.0.0 taken");
    };
    if (mailMs === 0) {
      taken();
      return;
    }
    session.isWaiting = true;
    setTimeout(() => {
      taken();
      session.isWaiting = false;
      read(socket);
    }, mailMs);
  };

  const obey = (socket: Socket<Session>, line: string): void => {
    const session = socket.data;
    const verb = line.slice(0, 4).toUpperCase();
    const given = (one: Answer | undefined, usual: string): void => {
      if (one === undefined) say(socket, usual);
      else answer(socket, one, usual);
    };
    switch (verb) {
      case "EHLO":
        say(socket, pipelines ? "250-weather\r\n250-PIPELINING\r\n250 8BITMIME" : "250-weather\r\n250 8BITMIME");
        break;
      case "MAIL":
        session.recipient = "";
        given(onMailFrom?.({ open, mails: session.mails }), "250 2.1.0 ok");
        break;
      case "RCPT": {
        const address = line.slice(line.indexOf("<") + 1, line.indexOf(">"));
        const one = onRcpt?.(address);
        if (one?.reply === undefined) session.recipient = address;
        given(one, "250 2.1.5 ok");
        break;
      }
      case "DATA": {
        const one = session.recipient === "" ? undefined : onData?.(session.recipient);
        if (one !== undefined) {
          answer(socket, one, "451 4.3.0 not now");
          break;
        }
        session.inBody = session.recipient !== "";
        say(socket, session.inBody ? "354 go on" : "503 5.5.1 no recipient");
        break;
      }
      case "RSET":
        say(socket, "250 2.0.0 ok");
        break;
      case "QUIT":
        say(socket, "221 2.0.0 bye");
        socket.end();
        break;
      default:
        say(socket, "502 5.5.1 not known");
    }
  };

  const read = (socket: Socket<Session>): void => {
    const session = socket.data;
    while (!session.isWaiting && !session.isOver) {
      const mark = session.inBody ? BODY_END : "\r\n";
      if (session.inBody && session.text !== "") {
        const given = onBody?.(session.recipient);
        if (given !== undefined) {
          answer(socket, given, "");
          return;
        }
      }
      const end = session.text.indexOf(mark);
      if (end < 0) return;
      const piece = session.text.slice(0, end);
      session.text = session.text.slice(end + mark.length);
      if (session.inBody) take(socket);
      else obey(socket, piece);
    }
  };

  const server = Bun.listen<Session>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        open += 1;
        number += 1;
        socket.data = { text: "", recipient: "", inBody: false, mails: 0, isWaiting: false, isOver: false };
        const given = onConnect?.({ open, number });
        if (given === undefined) say(socket, "220 weather ESMTP");
        else answer(socket, given, "220 weather ESMTP");
      },
      data(socket, chunk) {
        socket.data.text += chunk.toString("latin1");
        read(socket);
      },
      close(socket) {
        open -= 1;
        socket.data.isOver = true;
      },
      error() {},
    },
  });
  return {
    port: server.port,
    connections: () => number,
    [Symbol.asyncDispose]: async () => server.stop(true),
  };
};
