import { join } from "node:path";
import { VERSION } from "../observability/version.ts";

/** How the system can be reached. */
export interface Addresses {
  readonly api: string;
  /** Undefined: mail goes to the person's own mail server. */
  readonly inbox: string | undefined;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly consumers: readonly { readonly name: string; readonly health: string; readonly pid: () => number }[];
}

/** Without passwords, also those in a query parameter. It may name several hosts. */
const shown = (text: string): string => text.replace(/^([a-z+]+:\/\/[^:@/]*:)[^@/]*@/, "$1***@").replace(/\?.*$/s, "");

/** The addresses, something to try, and how to stop. */
export const welcome = ({ api, inbox, databaseUrl, redisUrl, consumers }: Addresses, directory: string): string => {
  const rows = [
    ["signup page", api],
    ["API", `${api}/api/v1/user/ (described at ${api}/docs)`],
    ["inbox", inbox ?? "none: mail goes to your MAIL_SERVER"],
    ["console", `${api}/console (its token: ${join(directory, "console-token")})`],
    ["health", `${api}/readyz`],
    ...consumers.map(({ name, health, pid }) => [name, `process ${pid()}, health ${health}`]),
    ["PostgreSQL", shown(databaseUrl)],
    ["Redis", shown(redisUrl)],
    ["token", `for routes that require one: ${join(directory, "service-token")}`],
  ];
  const body = JSON.stringify({ user_name: "Ánh", email: "anh@inbox.example", password: "correct horse battery" });
  return [
    "",
    `signup-stream ${VERSION}`,
    "",
    ...rows.map(([what = "", where]) => `  ${what.padEnd(12)} ${where}`),
    "",
    "  Try it:",
    `  curl ${api}/api/v1/user/ -H 'Content-Type: application/json' \\`,
    `    -d '${body}'`,
    "",
    "  Kill a consumer (kill -9 PROCESS): its mail still arrives. Ctrl-C stops everything.",
    "",
  ].join("\n");
};
