import { createServer, type Socket } from "node:net";

/** An action: a reply, ending the connection, silence, or a reply that never ends. */
export type Action = string | "cut" | "silence" | "drip";

/** What the server does at a phase; a function is asked each time, with how often the phase was there on this connection. */
export type Script = Partial<Record<Phase, Action | ((time: number) => Action)>> & {
  /** Ends the connection after each mail that it took. */
  readonly oneMailEach?: boolean;
  /** Ignores what comes behind the first command in one segment, or ends the connection after the answer to that. */
  readonly behindFirst?: "dropped" | "cut";
};
const VERBS = ["STARTTLS", "AUTH", "MAIL", "RCPT", "RSET"] as const;
export type Phase = "greeting" | "EHLO" | "DATA" | "body" | (typeof VERBS)[number];

export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Complete bodies, also those that were refused. */
  readonly bodies: string[];
  /** Commands in the order in which they came, over all connections. */
  readonly commands: string[];
  connections(): number;
}

const ANSWERS: Record<Phase, string> = {
  greeting: "220 scripted ESMTP",
  EHLO: "250-scripted\r\n250 8BITMIME",
  STARTTLS: "502 not known",
  AUTH: "502 not known",
  MAIL: "250 2.1.0 ok",
  RCPT: "250 2.1.5 ok",
  DATA: "354 go on",
  body: "250 2.0.0 taken",
  RSET: "250 2.0.0 ok",
};

/** Well below any idle time-out. */
const DRIP_MS = 10;

/** An SMTP server that misbehaves by a script, in ways that server libraries do not allow. */
export const startScriptedServer = async (
  script: Script | (() => Script),
  ehlo = ANSWERS.EHLO,
): Promise<ScriptedServer> => {
  const bodies: string[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    const rules = typeof script === "function" ? script() : script;
    let text = "";
    let inBody = false;
    const times = new Map<Phase, number>();
    let dripping: ReturnType<typeof setInterval> | undefined;
    socket.on("close", () => clearInterval(dripping));

    const act = (phase: Phase): boolean => {
      const time = (times.get(phase) ?? 0) + 1;
      times.set(phase, time);
      const given = rules[phase] ?? (phase === "EHLO" ? ehlo : ANSWERS[phase]);
      const rule = typeof given === "function" ? given(time) : given;
      if (rule === "silence") return false;
      if (rule === "cut") socket.destroy();
      else if (rule === "drip") dripping = setInterval(() => socket.write("250-still at it\r\n"), DRIP_MS);
      else socket.write(`${rule}\r\n`);
      return rule.startsWith("3");
    };

    const onLine = (line: string): void => {
      const verb = line.split(" ")[0]?.toUpperCase() ?? "";
      const known = VERBS.find((each) => each === verb);
      commands.push(line);
      if (verb === "EHLO" || verb === "HELO") act("EHLO");
      else if (known !== undefined) act(known);
      else if (verb === "DATA") inBody = act("DATA");
      else if (verb === "QUIT") socket.end("221 bye\r\n");
      else socket.write("502 not known\r\n");
    };

    socket.on("data", (chunk) => {
      const given = chunk.toString("utf8");
      const rest = given.slice(given.indexOf("\r\n") + 2);
      const isTogether = rules.behindFirst !== undefined && !inBody && rest !== "";
      if (isTogether && rules.behindFirst === "cut") setImmediate(() => socket.destroy());
      text += isTogether ? given.slice(0, -rest.length) : given;
      for (;;) {
        // The line break before the dot may be the one that ended DATA: an empty body.
        const mark = !inBody ? "\r\n" : text.startsWith(".\r\n") ? ".\r\n" : "\r\n.\r\n";
        const end = text.indexOf(mark);
        if (end < 0) return;
        const piece = text.slice(0, end);
        text = text.slice(end + mark.length);
        if (!inBody) {
          onLine(piece);
          continue;
        }
        inBody = false;
        bodies.push(piece);
        act("body");
        if (rules.oneMailEach) socket.end();
      }
    });
    act("greeting");
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return {
    port: await promise,
    bodies,
    commands,
    connections: () => connections,
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
};
