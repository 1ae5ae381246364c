import { createServer, type Socket } from "node:net";

/** What the server does at a phase: an answer, or the end of the connection, or nothing ever. */
export type Script = Partial<Record<Phase, string | "cut" | "silence">> & {
  /** Ends the connection after each mail that it took. */
  readonly oneMailEach?: boolean;
};
export type Phase = "greeting" | "EHLO" | "MAIL" | "RCPT" | "DATA" | "body" | "RSET";

export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Bodies that came in whole, whatever was answered. */
  readonly bodies: string[];
  /** Commands in the order in which they came, over all connections. */
  readonly commands: string[];
  connections(): number;
}

const ANSWERS: Record<Phase, string> = {
  greeting: "220 scripted ESMTP",
  EHLO: "250-scripted\r\n250 8BITMIME",
  MAIL: "250 2.1.0 ok",
  RCPT: "250 2.1.5 ok",
  DATA: "354 go on",
  body: "250 2.0.0 taken",
  RSET: "250 2.0.0 ok",
};

/** An SMTP server that misbehaves as told: what no well-kept server library lets one do. */
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

    const act = (phase: Phase): boolean => {
      const rule = rules[phase] ?? (phase === "EHLO" ? ehlo : ANSWERS[phase]);
      if (rule === "silence") return false;
      if (rule === "cut") socket.destroy();
      else socket.write(`${rule}\r\n`);
      return rule.startsWith("3");
    };

    const onLine = (line: string): void => {
      const verb = line.split(" ")[0]?.toUpperCase() ?? "";
      commands.push(line);
      if (verb === "EHLO" || verb === "HELO") act("EHLO");
      else if (verb === "MAIL" || verb === "RCPT" || verb === "RSET") act(verb);
      else if (verb === "DATA") inBody = act("DATA");
      else if (verb === "QUIT") socket.end("221 bye\r\n");
      else socket.write("502 not known\r\n");
    };

    socket.on("data", (chunk) => {
      text += chunk.toString("utf8");
      for (;;) {
        const mark = inBody ? "\r\n.\r\n" : "\r\n";
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
