import { userInfo } from "node:os";

/** The user of the system; a container's user may have no name. */
const systemUser = (): string => {
  try {
    const { username, uid } = userInfo();
    // What Bun says where neither the environment nor the system has a name.
    return username === "unknown" ? `uid ${uid}` : username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
};

/** Who acts, for the audit log: `lan (as root)` if they said so, else the user of the system, and of `sudo`. */
export const actorOf = (
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string => {
  const user = systemUser();
  const person = given ?? environment["SUDO_USER"];
  return person === undefined || person === "" || person === user ? user : `${person} (as ${user})`;
};
