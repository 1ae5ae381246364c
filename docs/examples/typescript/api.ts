// Made by `bun run generate` from the OpenAPI document, with openapi-typescript. Not to be edited.

export interface paths {
    "/api/v1/user": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign up; a welcome mail follows
         * @description The answer comes once user, event and delivery are committed together: from then on neither is lost. With an `Idempotency-Key` it may be repeated, whatever became of the first request. With a slash at its end the path is the same.
         */
        post: operations["signUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for another mail to confirm an address
         * @description The answer is the same whether somebody has the address or not, and whether it is confirmed or not. A mail is sent at most once a minute and five times a day to one address.
         */
        post: operations["resendConfirmation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Whether a password is a user's
         * @description For machines. Of one `client` at one address, known or not, five attempts are free; after each further one it has to wait twice as long, from 1 s to 15 minutes, until one succeeds or an hour has passed. Of all clients at one address 50 are free; then those that were never right within 30 days wait, up to a minute. A hash that was made at another cost than the settings say is replaced when its password is presented.
         */
        post: operations["verifyPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether a user's address is confirmed
         * @description For machines, which know the id from the answer to a signup. It has no name and no address.
         */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{event_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The status of a mail
         * @description From the ledger alone. Anybody with the id may ask; holders of the service token are also told why.
         */
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{event_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same, live: Server-Sent Events until a final state
         * @description An event `status` at once and at each change, each with an `id`, until the state is final. Whoever connects again with `Last-Event-ID`, as an EventSource does by itself, is not sent that status again; after the final one the answer is 204, which ends an EventSource. Comments keep a quiet stream open; after 30 minutes it ends, and its client connects again.
         */
        get: operations["watchEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backlog/{group}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a group has to do, now and later
         * @description For autoscalers: read from the ledger, so that it is true whatever Redis reports.
         */
        get: operations["getBacklog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bounces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report bounces and complaints
         * @description A delivery status notification (RFC 3464) or a complaint (RFC 5965) as a mail, or the JSON of Amazon SES (also by SNS), SendGrid, Mailgun or Postmark. Each is answered by itself; the same again is recorded once. A 503 may mean that all were recorded but a few whose rows are in use: send them all again. The service token may also be the password of Basic authentication, for providers that know no other.
         */
        post: operations["reportBounces"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Debit an account, once for each transaction id
         * @description The same transaction id again gives the same answer, and never debits twice.
         */
        post: operations["requestPayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/payments/{transaction_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The status of a payment
         * @description By the id that its client gave it; from the ledger alone.
         */
        get: operations["getPayment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Do the loops make progress?
         * @description If not, a supervisor should restart the process. No store is asked, so that no outage of one restarts anything.
         */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Should requests come here?
         * @description Yes while PostgreSQL answers and the process is not draining; without Redis signups succeed, and their mails wait. With the service token it also says what the console says of all groups.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Signup: {
            /**
             * Format: uuid
             * @description The user's id.
             */
            id: string;
            user_name: string;
            /** Format: email */
            email: string;
            /** @enum {string} */
            locale: "vi" | "en";
            /** Format: date-time */
            created_at: string;
            /** @description Whether the address was confirmed by the link in a mail. */
            email_verified: boolean;
            welcome_email: {
                /** Format: uuid */
                event_id: string;
                /** @constant */
                status: "queued";
                /**
                 * Format: uri-reference
                 * @description Path of the mail's status.
                 */
                href: string;
            };
        };
        SignupRequest: {
            /**
             * @description Counted in code points after NFC and trimming. No control, direction-changing or hidden characters, no word of mixed scripts, no piled-up marks, and no name that looks like a reserved one. Markup is allowed.
             * @example Đặng Thị Hoa
             */
            user_name: string;
            /**
             * Format: email
             * @description One address. The domain may be international; the part before the @ is ASCII.
             */
            email: string;
            /**
             * Format: password
             * @description Counted in code points after NFC. Any characters, but not a common password, a mere run, or the address or name.
             * @example một mật khẩu dài và riêng
             */
            password: string;
            /**
             * @description The language of the welcome mail.
             * @default vi
             * @enum {string}
             */
            locale?: "vi" | "en";
        };
        ResendAccepted: {
            /** @constant */
            status: "accepted";
        };
        ResendRequest: {
            /**
             * Format: email
             * @description One address. The domain may be international; the part before the @ is ASCII.
             */
            email: string;
        };
        Verified: {
            /** @description Whether the password is that of the user who has the address. */
            matches: boolean;
            /** @description null unless it matches: nothing says whether somebody has the address. */
            user: {
                /** Format: uuid */
                id: string;
                email_verified: boolean;
            } | null;
        };
        VerifyRequest: {
            /**
             * Format: email
             * @description One address. The domain may be international; the part before the @ is ASCII.
             */
            email: string;
            /**
             * Format: password
             * @description Counted in code points after NFC. Any characters, but not a common password, a mere run, or the address or name.
             * @example một mật khẩu dài và riêng
             */
            password: string;
            /** @description Whom you ask for, as you know it: the address of the person's connection, at best. Attempts of one client slow down no other. */
            client?: string;
        };
        User: {
            /** Format: uuid */
            id: string;
            email_verified: boolean;
            email_verified_at: string | null;
            disowned_at: string | null;
            /** Format: date-time */
            created_at: string;
        };
        EventStatus: {
            /** Format: uuid */
            event_id: string;
            /**
             * @description Not final: queued, sending, retrying, uncertain (it cannot be known whether the mail was sent), held (until an operator decides). Final: sent, dead, cancelled, and suppressed, which is shown as dead without the service token. Work that is no mail is active rather than sending, and done rather than sent.
             * @enum {string}
             */
            state: "queued" | "active" | "retrying" | "uncertain" | "held" | "done" | "dead" | "suppressed" | "cancelled" | "sending" | "sent" | "processing" | "completed";
            /**
             * @description The same as `state`.
             * @enum {string}
             */
            status: "queued" | "active" | "retrying" | "uncertain" | "held" | "done" | "dead" | "suppressed" | "cancelled" | "sending" | "sent" | "processing" | "completed";
            /**
             * @description What it comes down to. `delivered`: to the recipient's mail provider; `done`: work that is no mail.
             * @enum {string}
             */
            summary: "on_its_way" | "delivered" | "not_delivered" | "done";
            /** @description The same for people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /** @description The state will not change any more, unless an operator intervenes. */
            final: boolean;
            /** @description Attempts that a working mail server answered. */
            attempts: number;
            /** @description How often it could not be known whether the mail was sent. */
            uncertain: number;
            next_try_at: string | null;
            /** @description Why. Only with the service token. */
            reason?: string | null;
            /** @description When it was reported that the mail, though it had been accepted, did not arrive, or was not wanted. Only with the service token. */
            bounced_at?: string | null;
            /** @description What was reported then: `bounced` with its code, or `complained`. Only with the service token. */
            bounce?: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** @description Oldest first, the last 50 steps. */
            timeline: {
                /** Format: date-time */
                at: string;
                /**
                 * @description Not final: queued, sending, retrying, uncertain (it cannot be known whether the mail was sent), held (until an operator decides). Final: sent, dead, cancelled, and suppressed, which is shown as dead without the service token. Work that is no mail is active rather than sending, and done rather than sent.
                 * @enum {string}
                 */
                state: "queued" | "active" | "retrying" | "uncertain" | "held" | "done" | "dead" | "suppressed" | "cancelled" | "sending" | "sent" | "processing" | "completed";
                /** @description The consumer or process that made the change. Only with the service token. */
                by?: string;
                /** @description Only with the service token. */
                reason?: string;
                /** @description Only with the service token. */
                attempt?: number;
            }[];
        };
        Backlog: {
            /** @description Deliveries of the group that are not in a final state, from the ledger; counted up to a bound. */
            unfinished: number;
            /** @description Deliveries that wait until the group's delay is over, not in `unfinished`; up to a bound. */
            waiting: number;
            /** @description When the first of them is due. It counts as unfinished a minute before, to start a consumer. */
            waits_until: string | null;
        };
        BounceResults: {
            /** @description One for each report, in order. */
            items: {
                /**
                 * @description `repeated`: reported before, nothing was written. `unmatched`: about no delivery of ours. `ignored`: neither a bounce nor a complaint. `unreadable`: of no known form. `subscription`: an operator has to confirm it.
                 * @enum {string}
                 */
                result: "recorded" | "repeated" | "unmatched" | "ignored" | "unreadable" | "subscription";
                /** @enum {string} */
                kind?: "bounced" | "delayed" | "complained";
                /** @description Enhanced status code (RFC 3463). */
                code?: string;
                /** Format: uuid */
                event_id?: string;
                group?: string;
                /** @description Whether nothing more is sent to the address. */
                suppressed?: boolean;
            }[];
        };
        PaymentAccepted: {
            transaction_id: string;
            /** Format: uuid */
            user_id: string;
            amount: number;
            currency: string;
            /** @constant */
            status: "queued";
            /** @description Where to look what became of it. */
            href: string;
            /** Format: date-time */
            created_at: string;
        };
        PaymentRequest: {
            /**
             * @description The client's own, of visible ASCII characters: the account is debited at most once for each.
             * @example order-2026-0001
             */
            transaction_id: string;
            /**
             * Format: uuid
             * @example 01a2109c-053e-74f1-9982-4e9657eb2cfe
             */
            user_id: string;
            /**
             * @description In minor units of the currency, above 0.
             * @example 150000
             */
            amount: number;
            /**
             * @description ISO 4217, in capitals.
             * @example VND
             */
            currency: string;
        };
        Payment: {
            transaction_id: string;
            /** Format: uuid */
            event_id: string;
            /** Format: uuid */
            user_id: string;
            amount: number;
            currency: string;
            /** @enum {string} */
            status: "queued" | "completed" | "rejected";
            reason: ("insufficient_funds" | "no_such_account") | null;
            /** Format: date-time */
            created_at: string;
            settled_at: string | null;
        };
        Liveness: {
            live: boolean;
            /** @description The release that is running. */
            version: string;
            /** @description Each background loop: whether it makes progress. */
            loops: {
                [key: string]: boolean;
            };
            /** @description What keeps a loop from its work, and since when; it says nothing about being live. */
            faults: {
                [key: string]: string;
            };
        };
        Readiness: {
            ready: boolean;
            /** @description What is wrong, in a sentence; `All is well`. */
            why: string;
            /** @description The result of each check, in words. */
            checks: {
                [key: string]: string;
            };
            /** @description What the console says of all groups; only for holders of the service token. */
            findings?: {
                /** @enum {string} */
                level: "trouble" | "notice" | "well";
                /** @description The group that it is about; none: the whole. */
                group?: string;
                /** @description Further groups: they work with the same system. */
                readonly alsoOf?: string[];
                sentence: string;
                /** @description What to do about it. */
                remedy?: string;
            }[];
        };
        /** @description The request is not valid. */
        BadRequestProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/bad_request";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 400;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "bad_request";
        };
        /** @description The body is not valid JSON: in UTF-8, each name once, at most 16 levels and 1,000 values. */
        MalformedJsonProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/malformed_json";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 400;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "malformed_json";
        };
        /** @description Idempotency-Key must be 1 to 255 visible ASCII characters, without spaces. */
        InvalidIdempotencyKeyProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/invalid_idempotency_key";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 400;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "invalid_idempotency_key";
        };
        /** @description This email is already registered. */
        EmailTakenProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/email_taken";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 400;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "email_taken";
        };
        /** @description This user name already exists. */
        UserNameTakenProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/user_name_taken";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 400;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "user_name_taken";
        };
        /** @description A valid service token is required (Authorization: Bearer). */
        UnauthorizedProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/unauthorized";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 401;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "unauthorized";
        };
        /** @description There is no event with this id. */
        EventNotFoundProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/event_not_found";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 404;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "event_not_found";
        };
        /** @description There is no group with this name. */
        GroupNotFoundProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/group_not_found";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 404;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "group_not_found";
        };
        /** @description There is no user with this id. */
        UserNotFoundProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/user_not_found";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 404;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "user_not_found";
        };
        /** @description There is no payment with this transaction id. */
        PaymentNotFoundProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/payment_not_found";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 404;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "payment_not_found";
        };
        /** @description This address does not support that method; see the Allow header. */
        MethodNotAllowedProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/method_not_allowed";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 405;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "method_not_allowed";
        };
        /** @description The body did not arrive within 10 seconds. */
        BodyTooSlowProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/body_too_slow";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 408;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "body_too_slow";
        };
        /** @description This transaction id was used with another amount, user or currency. */
        TransactionIdReusedProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/transaction_id_reused";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 409;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "transaction_id_reused";
        };
        /** @description The body is larger than 16 KiB. */
        BodyTooLargeProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/body_too_large";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 413;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "body_too_large";
        };
        /** @description The body is larger than 1 MiB, or has more than 1,000 reports. */
        ReportsTooLargeProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/reports_too_large";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 413;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "reports_too_large";
        };
        /** @description The content type is not supported; see the Accept header. */
        UnsupportedMediaTypeProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/unsupported_media_type";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 415;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "unsupported_media_type";
        };
        /** @description Some fields are not valid. */
        ValidationFailedProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/validation_failed";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 422;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "validation_failed";
            /** @description Every fault of the body. */
            errors: {
                /** @description JSON pointer into the body, as a URI fragment (RFC 6901, 6). */
                pointer: string;
                /** @description For people, in the language of the answer. */
                detail: string;
                /**
                 * @description For programs; never changes.
                 * @enum {string}
                 */
                code: "not_an_object" | "required" | "not_text" | "not_well_formed" | "user_name_empty" | "user_name_too_long" | "user_name_control_characters" | "user_name_invisible" | "user_name_hidden_characters" | "user_name_marks" | "user_name_mixed_scripts" | "user_name_reserved" | "email_invalid" | "email_too_long" | "email_local_part_not_ascii" | "password_too_short" | "password_too_long" | "password_common" | "password_run" | "client_invalid" | "password_personal" | "transaction_id_invalid" | "user_id_invalid" | "amount_invalid" | "currency_unknown" | "locale_unknown";
            }[];
        };
        /** @description This Idempotency-Key was used for a different request. */
        IdempotencyKeyReusedProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/idempotency_key_reused";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 422;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "idempotency_key_reused";
        };
        /** @description The password of this address was tried too often. Please wait a while and try again. */
        TooManyAttemptsProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/too_many_attempts";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 429;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "too_many_attempts";
        };
        /** @description Too many wrong tokens. Please try again later. */
        TooManyTokensProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/too_many_tokens";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 429;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "too_many_tokens";
        };
        /** @description Too many requests. Please wait a while and try again. */
        TooManyRequestsProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/too_many_requests";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 429;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "too_many_requests";
        };
        /** @description An unexpected error occurred. It has been logged. */
        InternalErrorProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/internal_error";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 500;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes.
             * @constant
             */
            code: "internal_error";
        };
        /** @description The service is busy. Please try again in a moment. */
        TooBusyProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/too_busy";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 503;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "too_busy";
        };
        /** @description The service is temporarily unavailable. Please try again in a moment. */
        DatabaseUnavailableProblem: {
            /**
             * @description A page about this problem.
             * @constant
             */
            type: "/problems/database_unavailable";
            title: string;
            /**
             * @description The HTTP status.
             * @constant
             */
            status: 503;
            /** @description For people, in Vietnamese or English, by Accept-Language. */
            detail: string;
            /**
             * @description For programs; never changes. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "database_unavailable";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    signUp: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and body within 24 hours give the same answer and one user.
                 * @example 2f1f6c1e-5a57-4a3e-9a43-0d8f0d6f6b0b
                 */
                "Idempotency-Key"?: string;
                /** @description W3C Trace Context; the mail is sent in this trace. */
                traceparent?: string;
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "user_name": "Đặng Thị Hoa",
                 *       "email": "hoa@example.com",
                 *       "password": "một mật khẩu dài và riêng",
                 *       "locale": "vi"
                 *     }
                 */
                "application/json": components["schemas"]["SignupRequest"];
            };
        };
        responses: {
            /** @description Committed: the user exists, and the mail will be sent. */
            201: {
                headers: {
                    /** @description Path of the mail's status. */
                    Location?: string;
                    /** @description `true` if an earlier request under the same key created the user. */
                    "Idempotent-Replayed"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0197f0c2-6d3e-7a51-8c1b-1a2b3c4d5e6f",
                     *       "user_name": "Đặng Thị Hoa",
                     *       "email": "hoa@example.com",
                     *       "locale": "vi",
                     *       "created_at": "2026-11-24T02:15:00.120Z",
                     *       "email_verified": false,
                     *       "welcome_email": {
                     *         "event_id": "0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80",
                     *         "status": "queued",
                     *         "href": "/api/v1/events/0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Signup"];
                };
            };
            /** @description Bad request; Malformed JSON; Invalid Idempotency-Key; Email already registered; User name already exists */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["InvalidIdempotencyKeyProblem"] | components["schemas"]["EmailTakenProblem"] | components["schemas"]["UserNameTakenProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Body too slow */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooSlowProblem"];
                };
            };
            /** @description Body too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooLargeProblem"];
                };
            };
            /** @description Unsupported media type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description Validation failed; Idempotency-Key reused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["IdempotencyKeyReusedProblem"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Too busy; Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooBusyProblem"] | components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    resendConfirmation: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "hoa@example.com"
                 *     }
                 */
                "application/json": components["schemas"]["ResendRequest"];
            };
        };
        responses: {
            /** @description If the address waits for its confirmation, a mail is on its way. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "accepted"
                     *     }
                     */
                    "application/json": components["schemas"]["ResendAccepted"];
                };
            };
            /** @description Bad request; Malformed JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Body too slow */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooSlowProblem"];
                };
            };
            /** @description Body too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooLargeProblem"];
                };
            };
            /** @description Unsupported media type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description Validation failed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationFailedProblem"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    verifyPassword: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "hoa@example.com",
                 *       "password": "một mật khẩu dài và riêng",
                 *       "client": "198.51.100.7"
                 *     }
                 */
                "application/json": components["schemas"]["VerifyRequest"];
            };
        };
        responses: {
            /** @description Whether it matches. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "matches": true,
                     *       "user": {
                     *         "id": "0197f0c2-6d3e-7a51-8c1b-1a2b3c4d5e6f",
                     *         "email_verified": false
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Verified"];
                };
            };
            /** @description Bad request; Malformed JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Body too slow */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooSlowProblem"];
                };
            };
            /** @description Body too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooLargeProblem"];
                };
            };
            /** @description Unsupported media type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description Validation failed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationFailedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens; Too many attempts */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"] | components["schemas"]["TooManyAttemptsProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Too busy; Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooBusyProblem"] | components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path: {
                /** @example 0197f0c2-6d3e-7a51-8c1b-1a2b3c4d5e6f */
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `email_verified_at` is null until the address is confirmed; `disowned_at`, unless its owner has said that they did not sign up. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0197f0c2-6d3e-7a51-8c1b-1a2b3c4d5e6f",
                     *       "email_verified": false,
                     *       "email_verified_at": null,
                     *       "disowned_at": null,
                     *       "created_at": "2026-11-24T02:15:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description Bad request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description No such user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UserNotFoundProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    getEvent: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path: {
                /** @example 0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80 */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state in the ledger. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "event_id": "0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80",
                     *       "state": "sent",
                     *       "status": "sent",
                     *       "summary": "delivered",
                     *       "detail": "Delivered to your mail provider.",
                     *       "final": true,
                     *       "attempts": 1,
                     *       "uncertain": 0,
                     *       "next_try_at": null,
                     *       "created_at": "2026-11-24T02:15:00.120Z",
                     *       "updated_at": "2026-11-24T02:15:00.480Z",
                     *       "timeline": [
                     *         {
                     *           "at": "2026-11-24T02:15:00.120Z",
                     *           "state": "queued"
                     *         },
                     *         {
                     *           "at": "2026-11-24T02:15:00.300Z",
                     *           "state": "sending"
                     *         },
                     *         {
                     *           "at": "2026-11-24T02:15:00.480Z",
                     *           "state": "sent"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["EventStatus"];
                };
            };
            /** @description Bad request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description No such event */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["EventNotFoundProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    watchEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the last event that was received, as an EventSource sends it. */
                "Last-Event-ID"?: string;
            };
            path: {
                /** @example 0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80 */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream of events `status`. The schema is that of the JSON in the `data` of each. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["EventStatus"];
                };
            };
            /** @description The last event that was received was final: nothing more will come. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Bad request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description No such event */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["EventNotFoundProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Too busy; Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooBusyProblem"] | components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    getBacklog: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path: {
                /** @example welcome-email */
                group: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counted up to a bound. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "unfinished": 3,
                     *       "waiting": 0,
                     *       "waits_until": null
                     *     }
                     */
                    "application/json": components["schemas"]["Backlog"];
                };
            };
            /** @description Bad request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description No such group */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["GroupNotFoundProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    reportBounces: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "message/rfc822": string;
                "multipart/report": string;
                "application/json": Record<string, never> | unknown[];
                "text/plain": string;
            };
        };
        responses: {
            /** @description What became of each report. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "result": "recorded",
                     *           "kind": "bounced",
                     *           "code": "5.1.1",
                     *           "event_id": "0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80",
                     *           "group": "welcome-email",
                     *           "suppressed": true
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["BounceResults"];
                };
            };
            /** @description Bad request; Malformed JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Body too slow */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooSlowProblem"];
                };
            };
            /** @description Reports too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ReportsTooLargeProblem"];
                };
            };
            /** @description Unsupported media type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    requestPayment: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "transaction_id": "order-2026-0001",
                 *       "user_id": "01a2109c-053e-74f1-9982-4e9657eb2cfe",
                 *       "amount": 150000,
                 *       "currency": "VND"
                 *     }
                 */
                "application/json": components["schemas"]["PaymentRequest"];
            };
        };
        responses: {
            /** @description Committed: the account will be debited, or the payment rejected. */
            202: {
                headers: {
                    /** @description Path of the payment's status. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "transaction_id": "order-2026-0001",
                     *       "user_id": "01a2109c-053e-74f1-9982-4e9657eb2cfe",
                     *       "amount": 150000,
                     *       "currency": "VND",
                     *       "status": "queued",
                     *       "href": "/api/v1/payments/order-2026-0001",
                     *       "created_at": "2026-11-24T02:15:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["PaymentAccepted"];
                };
            };
            /** @description Bad request; Malformed JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Body too slow */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooSlowProblem"];
                };
            };
            /** @description Transaction id reused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TransactionIdReusedProblem"];
                };
            };
            /** @description Body too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BodyTooLargeProblem"];
                };
            };
            /** @description Unsupported media type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description Validation failed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationFailedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    getPayment: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `vi` (the default) or `en`: the language of `detail`.
                 * @example en
                 */
                "Accept-Language"?: string;
            };
            path: {
                /** @example order-2026-0001 */
                transaction_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state of the transaction. `rejected` and `completed` are final. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "transaction_id": "order-2026-0001",
                     *       "user_id": "01a2109c-053e-74f1-9982-4e9657eb2cfe",
                     *       "amount": 150000,
                     *       "currency": "VND",
                     *       "event_id": "0197f0c2-6d3e-7a51-8c1b-2f9d4e6a7b80",
                     *       "status": "completed",
                     *       "reason": null,
                     *       "created_at": "2026-11-24T02:15:00.000Z",
                     *       "settled_at": "2026-11-24T02:15:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Payment"];
                };
            };
            /** @description Bad request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description No such payment */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PaymentNotFoundProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description Database unavailable */
            503: {
                headers: {
                    /** @description Whole seconds, at most 30. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["DatabaseUnavailableProblem"];
                };
            };
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Yes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "live": true,
                     *       "version": "0.1.0",
                     *       "loops": {
                     *         "relay": true
                     *       },
                     *       "faults": {}
                     *     }
                     */
                    "application/json": components["schemas"]["Liveness"];
                };
            };
            /** @description Bad request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description No. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Liveness"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Yes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ready": true,
                     *       "why": "All is well",
                     *       "checks": {
                     *         "database": "ok"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description Bad request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["BadRequestProblem"];
                };
            };
            /** @description Service token needed */
            401: {
                headers: {
                    /** @description Bearer challenge (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods of this path (RFC 9110, 15.5.6). */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["MethodNotAllowedProblem"];
                };
            };
            /** @description Too many requests; Too many wrong tokens */
            429: {
                headers: {
                    /** @description Whole seconds, after which the request is admitted. */
                    "Retry-After"?: string;
                    /** @description The limit: its name, how many, and in how many seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description What is left of it, and after how many seconds it is whole again. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["TooManyTokensProblem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description No. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
}
