import { existsSync, readFileSync } from "node:fs";

/** A root file system that nobody can write to, and a process that is process 1: as in a pod. */
const READ_ONLY_ROOT = 'mount -o remount,bind,ro / && exec "$0" "$@"';
const NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", READ_ONLY_ROOT];
const USER = ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "--"];

const works = (command: readonly string[]): boolean =>
  Bun.which(command[0] ?? "") !== null && Bun.spawnSync([...command, "true"], { stderr: "ignore" }).exitCode === 0;

/** What makes a process live as in a pod, as far as this machine lets us: root may do all of it, others nothing. */
export const podLike = (): readonly string[] => {
  if (works([...NAMESPACES, ...USER])) return [...NAMESPACES, ...USER];
  return works(USER) ? USER : [];
};

/** The process at the end of a chain of wrappers. */
export const innermost = (pid: number): number => {
  const file = `/proc/${pid}/task/${pid}/children`;
  const child = existsSync(file) ? Number(readFileSync(file, "utf8").trim().split(" ")[0]) : 0;
  return child === 0 ? pid : innermost(child);
};
