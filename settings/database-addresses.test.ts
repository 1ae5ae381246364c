import { expect, test } from "bun:test";
import { databaseAddresses, faultOfDatabaseUrl } from "./database-addresses.ts";

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
  ["postgres://a/signup?sslmode=require&channel_binding=require", ["postgres://a/signup?sslmode=require"]],
  ["postgres://a,b,c/signup", ["postgres://a/signup", "postgres://b/signup", "postgres://c/signup"]],
])("%s has these addresses", (url, addresses) => {
  expect(databaseAddresses(url)).toEqual(addresses);
});

test.each([
  ["postgres://app@db.example/signup?application_name=api", undefined],
  ["mysql://app@db.example/signup", "expected a URL that begins with postgres:// or postgresql://"],
  ["postgres://app:p%ss@db.example/signup", "expected each % in a name or password to be written as %25"],
  ["postgres://db/signup?schema=public&pgbouncer=true", "expected no parameter schema, which is of another driver"],
  ["postgres://a,b/signup?connection_limit=5", "expected no parameter connection_limit, which is of another driver"],
])("%s: its fault is %p", (url, fault) => {
  expect(faultOfDatabaseUrl(url)).toBe(fault);
});
