import type { Command, RouteMap } from "@stricli/core";
import type { Surroundings } from "./command.ts";

/** A command, or a group of commands that share their first word. */
export type Route = Command<Surroundings> | RouteMap<Surroundings>;

/** Whether a route is a group of commands. */
export const isGroup = (route: Route): route is RouteMap<Surroundings> => "getAllEntries" in route;

/** The route that the words begin with, and the words that name it. */
export const routeOf = (
  root: Route,
  words: readonly string[],
): { readonly route: Route; readonly name: readonly string[] } => {
  let route = root;
  const name: string[] = [];
  for (const word of words) {
    const next: Route | undefined = isGroup(route) ? route.getRoutingTargetForInput(word) : undefined;
    if (next === undefined) break;
    route = next;
    name.push(word);
  }
  return { route, name };
};

/** The commands of a route with their names in full: `dead list`. */
export const commandsOf = (
  route: Route,
  name: readonly string[],
): readonly { readonly name: readonly string[]; readonly command: Command<Surroundings> }[] =>
  isGroup(route)
    ? route.getAllEntries().flatMap((entry) => commandsOf(entry.target, [...name, entry.name.original]))
    : [{ name, command: route }];
