import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Locale } from "../stream/events/user-signed-up.ts";

/** One type of problem: its status, a title that never changes, and the `detail` for people. */
export interface ProblemType extends Readonly<Record<Locale, string>> {
  readonly status: ContentfulStatusCode;
  readonly title: string;
}

/** Every problem that the API responds with, by its `code`. The codes are part of the contract. */
export const PROBLEM_TYPES = {
  bad_request: {
    status: 400,
    title: "Bad request",
    vi: "Yêu cầu không hợp lệ.",
    en: "The request is not valid.",
  },
  malformed_json: {
    status: 400,
    title: "Malformed JSON",
    vi: "Nội dung không phải là JSON hợp lệ: UTF-8, mỗi tên chỉ xuất hiện một lần, tối đa 16 cấp và 1.000 giá trị.",
    en: "The body is not valid JSON: in UTF-8, each name once, at most 16 levels and 1,000 values.",
  },
  invalid_idempotency_key: {
    status: 400,
    title: "Invalid Idempotency-Key",
    vi: "Idempotency-Key phải gồm từ 1 đến 255 ký tự ASCII hiển thị được, không chứa khoảng trắng.",
    en: "Idempotency-Key must be 1 to 255 visible ASCII characters, without spaces.",
  },
  email_taken: {
    status: 400,
    title: "Email already registered",
    vi: "Email đã được đăng ký.",
    en: "This email is already registered.",
  },
  user_name_taken: {
    status: 400,
    title: "User name already exists",
    vi: "Tên người dùng đã tồn tại.",
    en: "This user name already exists.",
  },
  unauthorized: {
    status: 401,
    title: "Service token needed",
    vi: "Yêu cầu phải kèm token dịch vụ hợp lệ (Authorization: Bearer).",
    en: "A valid service token is required (Authorization: Bearer).",
  },
  foreign_origin: {
    status: 403,
    title: "Sent from another site",
    vi: "Biểu mẫu được gửi từ một trang web khác nên đã bị từ chối.",
    en: "The form was submitted from another site and was rejected.",
  },
  not_found: {
    status: 404,
    title: "Not found",
    vi: "Địa chỉ này không tồn tại.",
    en: "There is nothing at this address.",
  },
  event_not_found: {
    status: 404,
    title: "No such event",
    vi: "Không tìm thấy sự kiện có mã này.",
    en: "There is no event with this id.",
  },
  group_not_found: {
    status: 404,
    title: "No such group",
    vi: "Không tìm thấy nhóm có tên này.",
    en: "There is no group with this name.",
  },
  user_not_found: {
    status: 404,
    title: "No such user",
    vi: "Không tìm thấy người dùng có mã này.",
    en: "There is no user with this id.",
  },
  payment_not_found: {
    status: 404,
    title: "No such payment",
    vi: "Không tìm thấy giao dịch có mã này.",
    en: "There is no payment with this transaction id.",
  },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed",
    vi: "Địa chỉ này không hỗ trợ phương thức vừa dùng; xem header Allow.",
    en: "This address does not support that method; see the Allow header.",
  },
  body_too_slow: {
    status: 408,
    title: "Body too slow",
    vi: "Nội dung chưa được gửi xong trong vòng 10 giây.",
    en: "The body did not arrive within 10 seconds.",
  },
  transaction_id_reused: {
    status: 409,
    title: "Transaction id reused",
    vi: "Mã giao dịch này đã được dùng với số tiền, người dùng hoặc đơn vị tiền tệ khác.",
    en: "This transaction id was used with another amount, user or currency.",
  },
  body_too_large: {
    status: 413,
    title: "Body too large",
    vi: "Nội dung vượt quá 16 KiB.",
    en: "The body is larger than 16 KiB.",
  },
  reports_too_large: {
    status: 413,
    title: "Reports too large",
    vi: "Nội dung vượt quá 1 MiB hoặc 1.000 báo cáo.",
    en: "The body is larger than 1 MiB, or has more than 1,000 reports.",
  },
  unsupported_media_type: {
    status: 415,
    title: "Unsupported media type",
    vi: "Kiểu nội dung không được hỗ trợ; xem header Accept.",
    en: "The content type is not supported; see the Accept header.",
  },
  validation_failed: {
    status: 422,
    title: "Validation failed",
    vi: "Một số thông tin chưa hợp lệ.",
    en: "Some fields are not valid.",
  },
  idempotency_key_reused: {
    status: 422,
    title: "Idempotency-Key reused",
    vi: "Idempotency-Key này đã được dùng cho một yêu cầu khác.",
    en: "This Idempotency-Key was used for a different request.",
  },
  too_many_attempts: {
    status: 429,
    title: "Too many attempts",
    vi: "Đã thử mật khẩu của địa chỉ này quá nhiều lần. Vui lòng đợi một lát rồi thử lại.",
    en: "The password of this address was tried too often. Please wait a while and try again.",
  },
  too_many_tokens: {
    status: 429,
    title: "Too many wrong tokens",
    vi: "Token sai quá nhiều lần. Vui lòng thử lại sau.",
    en: "Too many wrong tokens. Please try again later.",
  },
  too_many_requests: {
    status: 429,
    title: "Too many requests",
    vi: "Bạn đã gửi quá nhiều yêu cầu. Vui lòng đợi một lát rồi thử lại.",
    en: "Too many requests. Please wait a while and try again.",
  },
  internal_error: {
    status: 500,
    title: "Internal error",
    vi: "Đã xảy ra lỗi ngoài dự kiến. Chúng tôi đã ghi nhận lỗi này.",
    en: "An unexpected error occurred. It has been logged.",
  },
  too_busy: {
    status: 503,
    title: "Too busy",
    vi: "Hệ thống đang bận. Vui lòng thử lại sau giây lát.",
    en: "The service is busy. Please try again in a moment.",
  },
  database_unavailable: {
    status: 503,
    title: "Database unavailable",
    vi: "Hệ thống đang tạm thời gián đoạn. Vui lòng thử lại sau giây lát.",
    en: "The service is temporarily unavailable. Please try again in a moment.",
  },
} as const satisfies Record<string, ProblemType>;

export type ProblemCode = keyof typeof PROBLEM_TYPES;

/** Whether a text is the code of a problem. */
export const isProblemCode = (text: string | undefined): text is ProblemCode =>
  text !== undefined && Object.hasOwn(PROBLEM_TYPES, text);

/** The URI reference that identifies a problem's type; a page explains it (RFC 9457, 3.1.1). */
export const problemUri = (code: ProblemCode): string => `/problems/${code}`;
