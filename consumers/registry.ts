// Written by `bun run generate`.
// biome-ignore-all assist/source/organizeImports: in the order of stream/groups.ts.
import type { GroupFactory } from "./engine/factory.ts";
import { factory as welcomeEmailFactory } from "./welcome-email/group.ts";
import { factory as reminderEmailFactory } from "./reminder-email/group.ts";
import { factory as noticeEmailFactory } from "./notice-email/group.ts";
import { factory as paymentsFactory } from "./payments/group.ts";

/** What makes each group's consumer, by the group's name. */
export const FACTORIES: ReadonlyMap<string, GroupFactory> = new Map([
  // In the order of stream/groups.ts.
  ["welcome-email", welcomeEmailFactory],
  ["reminder-email", reminderEmailFactory],
  ["notice-email", noticeEmailFactory],
  ["payments", paymentsFactory],
]);
