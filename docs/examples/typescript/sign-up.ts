import createClient from "openapi-fetch";
import type { operations, paths } from "./api.ts";
import { follow } from "./follow.ts";

type Responses = operations["signUp"]["responses"];
/** Every problem that a signup may meet. */
type Problem = {
  [Status in keyof Responses]: Responses[Status] extends { content: { "application/problem+json": infer Body } }
    ? Body
    : never;
}[keyof Responses];

type Advice = "repeat" | "give up";

/** What to do about a problem. A code that the API adds later does not compile here until somebody decides. */
const adviceOn = (problem: Problem): Advice => {
  switch (problem.code) {
    case "too_many_requests":
    case "too_busy":
    case "database_unavailable":
    case "internal_error":
    case "body_too_slow":
      return "repeat";
    case "validation_failed":
      for (const { pointer, detail, code } of problem.errors) console.error(`${pointer}: ${detail} (${code})`);
      return "give up";
    case "email_taken":
    case "user_name_taken":
    case "bad_request":
    case "malformed_json":
    case "invalid_idempotency_key":
    case "idempotency_key_reused":
    case "unsupported_media_type":
    case "method_not_allowed":
    case "body_too_large":
      console.error(problem.detail);
      return "give up";
    default:
      return problem satisfies never;
  }
};

const [baseUrl = "http://localhost:3000", email = "dung@inbox.example"] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { "Accept-Language": "en" } });
const ATTEMPTS = 5;

/** Signs up. One key for all attempts: whatever became of the first, there is one user and one mail. */
const signUp = async () => {
  const key = crypto.randomUUID();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { data, error, response } = await client.POST("/api/v1/user", {
      params: { header: { "Idempotency-Key": key } },
      body: { user_name: `user ${key}`, email, password: "correct horse battery staple" },
    });
    if (data) return data;
    if (adviceOn(error) === "give up") return undefined;
    await new Promise((resolve) => setTimeout(resolve, Number(response.headers.get("Retry-After") ?? 1) * 1_000));
  }
  return undefined;
};

const user = await signUp();
if (user === undefined) {
  process.exitCode = 1;
} else {
  console.log(`${user.email} has signed up`);
  for await (const { state, detail } of follow(client, user.welcome_email.event_id)) console.log(`${state}: ${detail}`);
}
