import { ACT } from "./act/section.tsx";
import { AUDIT } from "./audit/section.tsx";
import { DELIVERIES } from "./deliveries/section.tsx";
import { FIND } from "./find/section.tsx";
import { NOW } from "./now/section.tsx";
import type { ConsoleSection } from "./visit.ts";

/** The sections, as the navigation has them. The first is where one arrives. */
export const SECTIONS: readonly ConsoleSection[] = [NOW, FIND, DELIVERIES, ACT, AUDIT];
