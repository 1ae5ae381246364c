import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { type Script, startScriptedServer } from "../../../tests/scripted-smtp-server.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";

const RAW = "Subject: hello\r\n\r\nhello\r\n.\r\n";
const aMail = (beforeBody = () => true): OutgoingMail => ({
  from: "welcome@toblug.example",
  to: "user@inbox.example",
  raw: Buffer.from(RAW),
  beforeBody,
});
const never = new AbortController().signal;
const poolOn = (port: number) =>
  createSmtpPool({ server: { host: "127.0.0.1", port, tls: "none" }, size: 1, sendDeadlineMs: 2_000 });
const pipelining = (script: Script) => startScriptedServer(script, "250-scripted\r\n250-PIPELINING\r\n250 SIZE 100000");

test("where it is not offered, the same mails go out command by command", async () => {
  await using server = await startScriptedServer({ RCPT: (time) => (time === 1 ? "550 5.1.1 nobody" : "250 ok") });
  const pool = poolOn(server.port);
  expect(await pool.send(aMail(), never)).toMatchObject({ failure: { command: "RCPT TO", responseCode: 550 } });
  expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted", reply: "250 2.0.0 taken" });
  expect(server.commands.map((line) => line.slice(0, 4))).toEqual([
    ...["EHLO", "MAIL", "RCPT"],
    ...["RSET", "MAIL", "RCPT", "DATA"],
  ]);
  expect(server.bodies).toEqual(["Subject: hello\r\n\r\nhello\r\n.."]);
  await pool.close();
});

test("a recipient refused and DATA accepted: nobody gets a mail, the caller is not asked, the connection goes on", async () => {
  await using server = await pipelining({ RCPT: (time) => (time === 1 ? "550 5.1.1 nobody" : "250 ok") });
  const pool = poolOn(server.port);
  let asked = 0;
  const mail = aMail(() => {
    asked += 1;
    return true;
  });
  expect(await pool.send(mail, never)).toMatchObject({
    failure: { command: "RCPT TO", responseCode: 550, bodyStarted: false },
  });
  expect(asked).toBe(0);
  expect(await pool.send(mail, never)).toMatchObject({ kind: "accepted" });
  expect(asked).toBe(1);
  expect(server.bodies).toEqual(["", "Subject: hello\r\n\r\nhello\r\n.."]);
  expect(server.connections()).toBe(1);
  expect(server.commands).toContain(`MAIL FROM:<welcome@toblug.example> SIZE=${RAW.length}`);
  await pool.close();
});

test("a recipient refused, then silence: the mail has its answer, and the next one a new connection", async () => {
  let connections = 0;
  await using server = await startScriptedServer((): Script => {
    connections += 1;
    return connections === 1 ? { RCPT: "421 4.7.0 later", DATA: "silence" } : {};
  }, "250-scripted\r\n250 PIPELINING");
  const pool = createSmtpPool({
    server: { host: "127.0.0.1", port: server.port, tls: "none" },
    size: 1,
    sendDeadlineMs: 60_000,
  });
  expect(await pool.send(aMail(), never)).toMatchObject({ failure: { command: "RCPT TO", responseCode: 421 } });
  expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted" });
  await pool.close();
});

test.each([450, 421])("a recipient (%d) and DATA refused: the connection goes on", async (code) => {
  await using server = await pipelining({
    RCPT: (time) => (time === 1 ? `${code} 4.7.1 later` : "250 ok"),
    DATA: (time) => (time === 1 ? "554 no valid recipients" : "354 go on"),
  });
  const pool = poolOn(server.port);
  expect(await pool.send(aMail(), never)).toMatchObject({ failure: { command: "RCPT TO", responseCode: code } });
  expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted" });
  expect(server.bodies).toHaveLength(1);
  expect(server.connections()).toBe(1);
  await pool.close();
});

test("a sender refused and DATA accepted: the connection ends, and nothing is sent over it", async () => {
  await using server = await pipelining({ MAIL: "550 5.7.1 not you" });
  const pool = poolOn(server.port);
  expect(await pool.send(aMail(), never)).toMatchObject({ failure: { command: "MAIL FROM", bodyStarted: false } });
  await pool.close();
  expect(server.bodies).toEqual([]);
});

test.each<[Script, string]>([
  [{ RCPT: "421 4.3.2 closing", DATA: "cut" }, "RCPT TO"],
  [{ DATA: "421 4.3.2 closing" }, "DATA"],
  [{ RCPT: "cut" }, "RCPT TO"],
  [{ DATA: "cut" }, "RCPT TO"],
])(
  "the server leaves in the middle (%p): nothing was sent, and its replies are not those of the next mail",
  async (script, command) => {
    await using server = await pipelining(script);
    const pool = poolOn(server.port);
    for (let mail = 1; mail <= 2; mail += 1) {
      expect(await pool.send(aMail(), never)).toMatchObject({ failure: { command, bodyStarted: false } });
      expect(server.connections()).toBe(mail);
    }
    expect(server.bodies).toEqual([]);
    await pool.close();
  },
);

test("called back at 354: the body is not sent", async () => {
  await using server = await pipelining({});
  const pool = poolOn(server.port);
  expect(
    await pool.send(
      aMail(() => false),
      never,
    ),
  ).toMatchObject({ failure: { code: "ECALLEDBACK", bodyStarted: false } });
  await pool.close();
  expect(server.bodies).toEqual([]);
});

/** A server that answers each piece that it is sent by the next pieces of a list, each a write of its own. */
const answering = async (...answers: readonly (readonly string[])[]) => {
  const heard: string[] = [];
  let last = Promise.resolve();
  const server = createServer((socket) => {
    let turn = 0;
    const answer = (pieces: readonly string[]) => {
      last = last.then(async () => {
        for (const piece of pieces) {
          await new Promise<void>((written) => socket.write(piece, () => setImmediate(written)));
        }
      });
    };
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      heard.push(chunk.toString());
      turn += 1;
      answer(answers[turn] ?? []);
    });
    answer(answers[0] ?? []);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, heard, [Symbol.dispose]: () => void server.close() };
};
const GREETED = [["220 hi\r\n"], ["250-hi\r\n250 PIPELINING\r\n"]] as const;

test("replies may come in pieces or together; envelope and body are one write each", async () => {
  using server = await answering(
    ...GREETED,
    ["25", "0 ok\r\n250 ok\r", "\n354 go\r\n"],
    ["250-ta", "ken\r\n250 ok\r\n"],
  );
  const pool = poolOn(server.port);
  expect(await pool.send(aMail(), never)).toEqual({ kind: "accepted", reply: "250-taken\n250 ok" });
  expect(server.heard.slice(1)).toEqual([
    "MAIL FROM:<welcome@toblug.example>\r\nRCPT TO:<user@inbox.example>\r\nDATA\r\n",
    "Subject: hello\r\n\r\nhello\r\n..\r\n.\r\n",
  ]);
  await pool.close();
});

test("a 250 to DATA asks for no body: the caller is not asked, and nothing is sent as commands", async () => {
  await using server = await pipelining({ DATA: "250 ok" });
  const pool = poolOn(server.port);
  let asked = 0;
  const mail = aMail(() => {
    asked += 1;
    return true;
  });
  const failure = { command: "DATA", responseCode: 250, bodyStarted: false };
  expect(await pool.send(mail, never)).toMatchObject({ kind: "failed", failure });
  expect(asked).toBe(0);
  expect(server.commands.filter((line) => line.startsWith("Subject"))).toEqual([]);
  await pool.close();
});

test("a recipient's answer that is no reply is the recipient's, not the sender's", async () => {
  await using server = await pipelining({ RCPT: "550-5.7.1 refused\r\nbecause of policy" });
  const pool = poolOn(server.port);
  expect(await pool.send(aMail(), never)).toMatchObject({ kind: "failed", failure: { command: "RCPT TO" } });
  await pool.close();
});

test("an answer too many before the body is not taken for the answer to it", async () => {
  using server = await answering(...GREETED, ["250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"]);
  const pool = poolOn(server.port);
  expect(await pool.send(aMail(), never)).toMatchObject({ failure: { code: "EPROTOCOL", bodyStarted: false } });
  expect(server.heard).toHaveLength(2);
  await pool.close();
});
