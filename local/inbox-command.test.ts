import { expect, test } from "bun:test";
import { type InboxOptions, inboxCommand } from "./inbox-command.ts";

const options: InboxOptions = {
  kind: "own",
  own: ["bun", "local/inbox/main.ts"],
  directory: "/data/inbox",
  host: "127.0.0.1",
  smtpPort: 1025,
  httpPort: 8025,
  which: () => null,
};

test("the own inbox needs nothing on the PATH", () => {
  expect(inboxCommand(options)).toEqual(
    "bun local/inbox/main.ts --directory /data/inbox --host 127.0.0.1 --smtp-port 1025 --http-port 8025".split(" "),
  );
});

test("Mailpit catches mails of this machine alone, and keeps them beside those of the own inbox", () => {
  const which = (name: string) => `/usr/local/bin/${name}`;
  expect(inboxCommand({ ...options, kind: "mailpit", host: "::1", which }).slice(0, 7)).toEqual(
    "/usr/local/bin/mailpit --smtp 127.0.0.1:1025 --listen [::1]:8025 --database /data/inbox/mailpit.db".split(" "),
  );
});

test("without Mailpit, says where it is to be had", () => {
  expect(() => inboxCommand({ ...options, kind: "mailpit" })).toThrow(/no mailpit on the PATH. Install it \(https:/);
});
