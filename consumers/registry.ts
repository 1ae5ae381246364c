// Written by `bun run generate`, from the groups of stream/groups.ts.
import type { GroupFactory } from "./engine/factory.ts";
import { factory as welcomeEmail } from "./welcome-email/group.ts";

/** What makes each group's consumer, by the group's name. */
export const FACTORIES: ReadonlyMap<string, GroupFactory> = new Map([["welcome-email", welcomeEmail]]);
