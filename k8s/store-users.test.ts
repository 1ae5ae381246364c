import { expect, test } from "bun:test";
import { storeUserFiles } from "./store-users.ts";

test("the users of the local stores may use the pipeline of any STREAM_NAME, those of production only that of theirs", () => {
  const files = storeUserFiles("shop");
  const tagsOf = (file: string) => new Set((files.get(file) ?? "").match(/(?<=[~&]){[^}]*}/g));
  expect(tagsOf("overlays/local/users.acl")).toEqual(new Set(["{*}"]));
  expect(tagsOf("users.acl")).toEqual(new Set(["{shop}"]));
});
