import { command } from "../command.ts";
import { DELIVERY_LIST_FLAGS, type DeliveryListFlags, deliveryListText } from "./delivery-list.ts";

export const retrying = command<DeliveryListFlags>({
  brief:
    "List what waits for its next attempt: when, why, after how many attempts, and the last words of the other system",
  about: [
    "The latest failure first. Nothing has to be done: each is tried again at its time, until its attempts or its time are used up.",
    "Subjects are ids of users; `find EVENT_ID` shows whose event it is.",
  ].join("\n"),
  parameters: { flags: DELIVERY_LIST_FLAGS },
  examples: [
    ["retrying", "what failed last, and when it is tried again"],
    ["retrying --group welcome-email --reason greylisted --since 2h", "a part of it"],
  ],
  needs: ["database"],
  async run(context, { group, ...filter }) {
    const [{ listByState }, { groupsNamed }] = await Promise.all([
      import("../actions/listed.ts"),
      import("../actions/operator.ts"),
    ]);
    const found = await listByState(context, groupsNamed(context, group), { ...filter, state: "retrying" });
    const options = { now: context.now(), nextTitle: "next attempt", never: "now" };
    return {
      json: found,
      text: (style) =>
        found.deliveries.length === 0 ? "nothing waits for a further attempt" : deliveryListText(style, found, options),
    };
  },
});
