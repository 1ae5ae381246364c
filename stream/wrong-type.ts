import { isRefusedReply } from "./connection.ts";

/** A key that holds another type than the command expects, which Redis does not name in its reply (WRONGTYPE). */
export interface WrongType {
  readonly key: string;
  readonly command: string;
}

/** What ioredis notes of a command with the error in which it ended. */
const commandOf = (error: unknown): { readonly name: string; readonly key: string } | undefined => {
  const noted: unknown = error instanceof Error && "command" in error ? error.command : undefined;
  if (typeof noted !== "object" || noted === null || !("name" in noted) || !("args" in noted)) return undefined;
  const args: unknown[] = Array.isArray(noted.args) ? noted.args : [];
  // A script with several keys does not say of which.
  if (String(noted.name).startsWith("eval"))
    return Number(args[1]) === 1 ? { name: String(noted.name).toUpperCase(), key: String(args[2]) } : undefined;
  // Of XINFO GROUPS and its like the key is the second.
  const key = args[String(noted.name).startsWith("x") && /^[A-Z]+$/.test(String(args[0])) ? 1 : 0];
  return { name: String(noted.name).toUpperCase(), key: String(key) };
};

/** Undefined: the error is another one, or nobody noted the command. */
export const wrongTypeOf = (error: unknown): WrongType | undefined => {
  if (!(error instanceof Error && isRefusedReply(error) && error.message.startsWith("WRONGTYPE"))) return undefined;
  const command = commandOf(error);
  return command && { key: command.key, command: command.name };
};
