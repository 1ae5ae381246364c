import { expect, test } from "bun:test";
import { type Script, startScriptedServer } from "../../../tests/scripted-smtp-server.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { Pipelining } from "./pipelining.ts";
import { createSmtpPool } from "./pool.ts";

const mail: OutgoingMail = {
  from: "welcome@toblug.example",
  to: "user@inbox.example",
  raw: Buffer.from("Subject: hello\r\n\r\nhello\r\n"),
  beforeBody: () => true,
};

/** What becomes of so many mails, one after the other, and how often it was said that commands go out one by one. */
const sendTo = async (script: Script | (() => Script), mails: number) => {
  await using server = await startScriptedServer(script, "250-scripted\r\n250 PIPELINING");
  let said = 0;
  const onOneByOne = () => {
    said += 1;
  };
  const address = { host: "127.0.0.1", port: server.port, tls: "none" } as const;
  const pool = createSmtpPool({ server: address, size: 1, sendDeadlineMs: 1_000, onOneByOne });
  const kinds: string[] = [];
  for (let nth = 0; nth < mails; nth += 1) kinds.push((await pool.send(mail, new AbortController().signal)).kind);
  await pool.close();
  return { kinds, said, bodies: server.bodies.length };
};

test.each(["dropped", "cut"] as const)(
  "what is sent together is %s: mails go out one command at a time",
  async (behindFirst) => {
    const { kinds, said, bodies } = await sendTo({ behindFirst }, 6);
    // The first one, and one that makes sure, since a server may be away for a moment.
    expect(kinds).toEqual(["failed", "accepted", "failed", "accepted", "accepted", "accepted"]);
    expect(bodies).toBe(4);
    expect(said).toBe(1);
  },
);

test("a server that was away for a moment is sent commands together", async () => {
  let connections = 0;
  const script = (): Script => {
    connections += 1;
    return connections === 1 ? { MAIL: "silence" } : {};
  };
  expect(await sendTo(script, 4)).toMatchObject({ kinds: ["failed", "accepted", "accepted", "accepted"], said: 0 });
});

test("a server that is slow about each recipient is not said to drop commands", async () => {
  expect(await sendTo({ RCPT: "silence" }, 4)).toMatchObject({ said: 0, bodies: 0 });
});

test("a server that has answered commands together is sent them together, whatever happens later", () => {
  const pipelining = new Pipelining({ now: () => 0, onOneByOne: () => {} });
  pipelining.begin().ended(true);
  for (let nth = 0; nth < 3; nth += 1) {
    const turn = pipelining.begin();
    expect(turn.isTogether).toBe(true);
    turn.ended(false);
  }
});

test("an hour later one mail tries again, and the others go by what becomes of it", () => {
  let now = 0;
  const pipelining = new Pipelining({ now: () => now, onOneByOne: () => {} });
  pipelining.begin().ended(false);
  pipelining.begin().ended(true);
  pipelining.begin().ended(false);
  expect(pipelining.begin().isTogether).toBe(false);
  now = 3_600_000;
  const [check, other] = [pipelining.begin(), pipelining.begin()];
  expect([check.isTogether, other.isTogether]).toEqual([true, false]);
  check.ended(false);
  other.ended(true);
  expect(pipelining.begin().isTogether).toBe(false);
  now = 7_200_000;
  pipelining.begin().ended(true);
  expect(pipelining.begin().isTogether).toBe(true);
});
