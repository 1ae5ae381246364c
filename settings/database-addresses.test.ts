import { expect, test } from "bun:test";
import { databaseAddresses } from "./database-addresses.ts";

test.each([
  ["postgres://app@db.example:5432/signup", ["postgres://app@db.example:5432/signup"]],
  ["postgres://db.example/signup?sslmode=require", ["postgres://db.example/signup?sslmode=require"]],
  [
    "postgres://app:p%2Cw%40@a.example:5432,b.example:5433/signup?target_session_attrs=read-write&sslmode=require",
    [
      "postgres://app:p%2Cw%40@a.example:5432/signup?sslmode=require",
      "postgres://app:p%2Cw%40@b.example:5433/signup?sslmode=require",
    ],
  ],
  ["postgres://a,b,c/signup", ["postgres://a/signup", "postgres://b/signup", "postgres://c/signup"]],
])("%s has these addresses", (url, addresses) => {
  expect(databaseAddresses(url)).toEqual(addresses);
});
