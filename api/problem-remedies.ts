import type { Locale } from "../stream/events/user-signed-up.ts";
import type { ProblemCode } from "./problem-types.ts";

const TAKEN = {
  vi: "Hãy chọn giá trị khác, hoặc đăng nhập nếu tài khoản là của bạn. Không phân biệt chữ hoa và chữ thường.",
  en: "Choose another one, or sign in if the account is yours. Upper and lower case make no difference.",
} as const;
const CHECK_ID = {
  vi: "Hãy kiểm tra mã trong địa chỉ. Mã đúng nằm trong phản hồi của yêu cầu đã tạo ra nó.",
  en: "Check the id in the address. The answer to the request that made it has the right one.",
} as const;
const RETRY_LATER = {
  vi: "Chưa có gì được tạo. Hãy đợi hết số giây trong Retry-After rồi gửi lại với cùng Idempotency-Key.",
  en: "Nothing was made. Repeat the request after Retry-After seconds, with the same Idempotency-Key.",
} as const;

/** What to do about each problem: on its page, and in `docs/http.md`. */
export const PROBLEM_REMEDIES: Readonly<Record<ProblemCode, Readonly<Record<Locale, string>>>> = {
  bad_request: {
    vi: "Hãy gửi đúng một header Host hợp lệ, và biểu mẫu mã hóa bằng UTF-8.",
    en: "Send one well-formed Host, and forms in UTF-8.",
  },
  malformed_json: {
    vi: "Hãy tạo nội dung bằng thư viện JSON thay vì ghép chuỗi, và gửi ở dạng UTF-8.",
    en: "Make the body with a JSON library instead of joining strings, and send it in UTF-8.",
  },
  invalid_idempotency_key: {
    vi: "Hãy dùng một UUID mới cho mỗi lần đăng ký, và dùng lại nó khi gửi lại.",
    en: "Use a new UUID for each signup, and the same one when you repeat it.",
  },
  email_taken: TAKEN,
  user_name_taken: TAKEN,
  unauthorized: {
    vi: "Hãy gửi SERVICE_TOKEN của máy chủ: Authorization: Bearer <token>.",
    en: "Send the server's SERVICE_TOKEN: Authorization: Bearer <token>.",
  },
  foreign_origin: {
    vi: "Hãy mở biểu mẫu trên chính trang này. Người vận hành: PUBLIC_URL phải là địa chỉ mà trình duyệt thấy.",
    en: "Open the form on this site. Operators: PUBLIC_URL must be the address that browsers see.",
  },
  not_found: {
    vi: "Hãy kiểm tra lại địa chỉ; /docs liệt kê các địa chỉ của API.",
    en: "Check the address; /docs lists those of the API.",
  },
  event_not_found: CHECK_ID,
  group_not_found: {
    vi: "Hãy kiểm tra tên nhóm: `bun run ops status` liệt kê các nhóm.",
    en: "Check the name: `bun run ops status` lists the groups.",
  },
  user_not_found: CHECK_ID,
  payment_not_found: CHECK_ID,
  method_not_allowed: {
    vi: "Hãy dùng một trong các phương thức mà header Allow nêu.",
    en: "Use one of the methods that the header Allow names.",
  },
  body_too_slow: {
    vi: "Chưa có gì được tạo. Hãy gửi lại; nội dung phải đến đủ trong 10 giây.",
    en: "Nothing was made. Send it again; the whole body must arrive within 10 s.",
  },
  transaction_id_reused: {
    vi: "Hãy dùng một mã giao dịch mới cho mỗi khoản thanh toán, và dùng lại nó khi gửi lại đúng khoản đó.",
    en: "Use a new transaction id for each payment, and the same one only to repeat that very payment.",
  },
  body_too_large: {
    vi: "Hãy gửi tối đa 16 KiB: chỉ những trường mà API nêu.",
    en: "Send at most 16 KiB: only the fields that the API names.",
  },
  reports_too_large: {
    vi: "Hãy chia các báo cáo thành nhiều yêu cầu.",
    en: "Spread the reports over several requests.",
  },
  unsupported_media_type: {
    vi: "Hãy gửi Content-Type: application/json và không nén nội dung.",
    en: "Send Content-Type: application/json, and no compressed body.",
  },
  validation_failed: {
    vi: "Hãy sửa mọi trường có trong errors; mỗi mục cho biết trường nào và sai ở đâu.",
    en: "Mend every field in errors; each entry names the field and what is wrong with it.",
  },
  idempotency_key_reused: {
    vi: "Hãy dùng khóa mới cho nội dung mới.",
    en: "Use a new key for a new body.",
  },
  too_many_attempts: {
    vi: "Hãy đợi hết số giây trong Retry-After. Bên gọi nên gửi trường client, để không ai phải đợi vì số lần thử của người khác.",
    en: "Wait for Retry-After seconds. Callers should send client, so that nobody waits for somebody else's attempts.",
  },
  too_many_tokens: {
    vi: "Hãy sửa token, đợi hết số giây trong Retry-After rồi thử lại.",
    en: "Mend the token, and try again after Retry-After seconds.",
  },
  too_many_requests: RETRY_LATER,
  internal_error: {
    vi: "Hãy gửi lại với cùng Idempotency-Key: sẽ không có gì bị tạo hai lần. Nếu vẫn lỗi, hãy gửi trace id cho người vận hành.",
    en: "Repeat it with the same Idempotency-Key: nothing is made twice. If it goes on, tell the operator the trace id.",
  },
  too_busy: RETRY_LATER,
  database_unavailable: RETRY_LATER,
};
