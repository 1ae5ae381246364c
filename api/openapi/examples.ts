import type { Locale } from "../../stream/events/user-signed-up.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { faultAt } from "../faults.ts";
import { PROBLEM_TYPES, type ProblemCode, problemUri } from "../problem-types.ts";
import { eventHref, toSignupAnswer } from "../signup/answer.ts";
import { type EventStatusAnswer, toEventStatusAnswer } from "../status/event-status.ts";

const EVENT_ID = "0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80";
const USER_ID = "0197f0c2-6d3e-7a51-8c1b-1a2b3c4d5e6f";
const CREATED_AT = "2026-11-24T02:15:00.120Z";
const SENT_AT = "2026-11-24T02:15:00.480Z";
const LANGUAGE: Locale = "en";

export const EXAMPLE_EVENT_ID = EVENT_ID;

export const exampleSignupRequest = {
  user_name: "Đặng Thị Hoa",
  email: "hoa@example.com",
  password: "một mật khẩu dài và riêng",
  locale: "vi",
} as const;

export const exampleSignup = toSignupAnswer({
  userId: USER_ID,
  eventId: EVENT_ID,
  userName: exampleSignupRequest.user_name,
  email: exampleSignupRequest.email,
  locale: exampleSignupRequest.locale,
  createdAt: new Date(CREATED_AT),
  isVerified: false,
});

export const exampleLocation = eventHref(EVENT_ID);

export const exampleEventStatus: EventStatusAnswer = toEventStatusAnswer(
  {
    group: WELCOME_EMAIL,
    delivery: {
      eventId: EVENT_ID,
      group: WELCOME_EMAIL.name,
      state: "done",
      attempts: 1,
      uncertain: 0,
      nextTryAt: null,
      reason: null,
      bouncedAt: null,
      bounce: null,
      createdAt: new Date(CREATED_AT),
      updatedAt: new Date(SENT_AT),
      timeline: [
        { at: CREATED_AT, state: "queued" },
        { at: "2026-11-24T02:15:00.300Z", state: "active", by: "consumer-1-8d0c41aa", attempt: 1 },
        { at: SENT_AT, state: "done", by: "consumer-1-8d0c41aa", attempt: 1 },
      ],
    },
  },
  { isOperator: false, language: LANGUAGE },
);

/** A problem as it is answered, in English. */
export const exampleProblem = (code: ProblemCode): Readonly<Record<string, unknown>> => {
  const { title, status } = PROBLEM_TYPES[code];
  const problem = { type: problemUri(code), title, status, detail: PROBLEM_TYPES[code][LANGUAGE], code };
  if (code !== "validation_failed") return problem;
  const faults = [faultAt(["email"], "email_invalid"), faultAt(["password"], "password_too_short")];
  return { ...problem, errors: faults.map((fault) => ({ ...fault, detail: fault.detail[LANGUAGE] })) };
};
