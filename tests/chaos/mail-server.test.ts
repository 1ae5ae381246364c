import { describe, expect, test } from "bun:test";
import { createTransport } from "nodemailer";
import { eventually } from "../eventually.ts";
import { MAIL } from "./groups.ts";
import { type MailFault, startChaoticMailServer } from "./mail-server.ts";

const EVENT = "0198b8f2-1111-7222-8333-444455556666";
const TO = "linh@inbox.example";

const aServer = async (fault: MailFault | undefined) => {
  const server = await startChaoticMailServer({ currentFault: () => "a fault", random: () => 0 });
  server.misbehave(fault);
  const client = createTransport({ host: "127.0.0.1", port: server.port, ignoreTLS: true });
  const send = (): Promise<{ readonly response: string }> =>
    client.sendMail({
      from: "welcome@toblug.example",
      to: TO,
      text: "Hello",
      headers: { "Message-ID": `<${EVENT}.welcome@x>` },
    });
  return {
    ...server,
    /** The server's reply, or the client's error without one. */
    answer: () =>
      send().then(
        ({ response }) => response,
        (error: { readonly response?: string; readonly code?: string }) => error.response ?? error.code ?? "",
      ),
  };
};

const ACCEPTED = [{ eventId: EVENT, to: TO, during: "a fault" }];

describe("the mail server of the fault injection", () => {
  test.each<[MailFault | undefined, RegExp, accepted: boolean, refused: boolean]>([
    [undefined, /^250 /, true, false],
    ["421 for every client", /^421 4\.3\.2 going down/, false, false],
    ["451 greylisting", /^451 4\.7\.1 /, false, false],
    ["452 too many", /^452 4\.5\.3 /, false, false],
    ["552 mailbox full", /^552 5\.2\.2 /, false, false],
    ["550 5.7.1 refused", /^550 5\.7\.1 /, false, true],
    ["550 5.1.1 no such user", /^550 5\.1\.1 /, false, true],
    ["535 at MAIL FROM", /^535 5\.7\.8 /, false, false],
    ["reset before the 250, not accepted", /^ECONN|^ESOCKET/, false, false],
    ["reset before the 250, accepted", /^ECONN|^ESOCKET/, true, false],
    ["only one connection", /^250 /, true, false],
    ["451 4.3.0 to everybody", /^451 4\.3\.0 /, false, false],
    ["451 4.7.1 to everybody", /^451 4\.7\.1 /, false, false],
    ["account refused", /^550 5\.7\.1 account/, false, false],
    ["slow drains", /^250 /, true, false],
    [{ domain: "inbox.example", answer: "550 5.7.1" }, /^550 5\.7\.1 /, false, true],
    [{ domain: "inbox.example", answer: "451 4.7.1" }, /^451 4\.7\.1 /, false, false],
    [{ domain: "other.example", answer: "550 5.7.1" }, /^250 /, true, false],
    [{ connections: 1, beyond: "421" }, /^250 /, true, false],
    [{ connections: 1, beyond: "421", drainMs: 1 }, /^250 /, true, false],
  ])("%p", async (fault, answer, accepted, refused) => {
    await using server = await aServer(fault);
    expect(await server.answer()).toMatch(answer);
    expect(server.mails.of(MAIL)).toEqual(accepted ? ACCEPTED : []);
    expect([...server.refused]).toEqual(refused ? [TO] : []);
  });

  test("login refused: who has a connection loses it, and each login is counted until the fault ends", async () => {
    await using server = await aServer("login refused");
    const login = () =>
      createTransport({ host: "127.0.0.1", port: server.port, ignoreTLS: true, auth: { user: "a", pass: "b" } })
        .verify()
        .catch((error: { readonly responseCode?: number }) => error.responseCode);
    expect([await login(), await login(), server.refusedLogins()]).toEqual([535, 535, 2]);
    server.misbehave(undefined);
    expect([await login(), server.refusedLogins()]).toEqual([true, 2]);
  });

  test("silence: it greets no client, and closes their connections when the fault ends", async () => {
    await using server = await aServer("silence");
    const answered = server.answer();
    await eventually(() => server.connections() === 1);
    server.misbehave(undefined);
    expect(await answered).toMatch(/^ECONN|^ESOCKET/);
    expect(server.mails.of(MAIL)).toEqual([]);
    expect(await server.answer()).toMatch(/^250 /);
  });

  /** Somebody who has a connection and keeps it. */
  const occupy = async (port: number) => {
    const { promise: greeted, resolve } = Promise.withResolvers<void>();
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => resolve() } });
    await greeted;
    return socket;
  };

  test.each<[string, MailFault, RegExp]>([
    ["are closed without a word", { connections: 1, beyond: "closed" }, /^ECO/],
    ["are refused", "only one connection", /^421/],
  ])("more connections than are granted %s", async (_, fault, answer) => {
    await using server = await aServer(fault);
    const other = await occupy(server.port);
    expect(await server.answer()).toMatch(answer);
    other.terminate();
    await eventually(async () => (await server.answer()).startsWith("250"));
    expect(server.mails.of(MAIL)).toEqual(ACCEPTED);
  });
});
