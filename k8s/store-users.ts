import { MIGRATING_ROLE, SERVICE_ROLES } from "../database/roles.ts";
import { aclFile } from "../stream/acl.ts";

/** Of the stores in the local overlay and in compose.yaml, which are on one's own machine. */
const PASSWORD = "only-for-development";

/** What PostgreSQL's image runs at its first start: the roles, with a password. The migration grants their rights. */
const rolesScript = (): string =>
  [
    "-- Written by `bun run generate` from database/roles.ts.",
    ...[MIGRATING_ROLE, ...SERVICE_ROLES].map((role) => `create role ${role} login password '${PASSWORD}';`),
    `grant usage, create on schema public to ${MIGRATING_ROLE};`,
    "grant pg_read_all_stats to signup_ops;",
    "",
  ].join("\n");

/** The local stores are of one system, whatever its `STREAM_NAME` is: it may be changed without a new file. */
const ANY_STREAM = "*";

/** Path below `k8s/` -> content: users without a password for a Redis of one's own, and what the local stores begin with. */
export const storeUserFiles = (streamName: string): ReadonlyMap<string, string> =>
  new Map([
    ["users.acl", aclFile(streamName)],
    ["overlays/local/users.acl", aclFile(ANY_STREAM, { password: () => `>${PASSWORD}`, first: ["user default off"] })],
    ["overlays/local/roles.sql", rolesScript()],
  ]);
