import { expect, test } from "bun:test";
import { querySummary } from "./query-summary.ts";

test.each([
  ["select 1", "SELECT"],
  ["select * from deliveries where event_id = $1", "SELECT deliveries"],
  [`select "id" from "users" inner join "deliveries" on true`, "SELECT users deliveries"],
  ["insert into users (a) values ($1) on conflict do update set a = 1", "INSERT users"],
  [
    "with due as (select 1 from outbox for update skip locked) update deliveries set x = 1 from due",
    "UPDATE deliveries",
  ],
  [
    "with a as (insert into users values ($1) returning *) insert into deliveries select * from a",
    "INSERT users INSERT deliveries",
  ],
  ["delete from outbox using locked where x = 'from secrets'", "DELETE outbox"],
  ["with input as (select * from json_to_recordset($1::json)) select * from input", "SELECT"],
  ["listen something", "LISTEN"],
])("%s is %s", (sql, summary) => {
  expect(querySummary(sql)).toBe(summary);
});

test("no value comes into it", () => {
  expect(querySummary("select * from users where email = 'anh@inbox.example'")).toBe("SELECT users");
});
