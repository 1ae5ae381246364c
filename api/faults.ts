import type { z } from "zod";
import type { Locale } from "../stream/events/user-signed-up.ts";
import type { FieldFault } from "./problem.ts";

/** What can be wrong with a field of a body, in both languages. The codes are part of the contract. */
const FAULTS = {
  not_an_object: { vi: "Nội dung phải là một đối tượng JSON.", en: "Expected a JSON object." },
  required: { vi: "Vui lòng điền mục này.", en: "This field is required." },
  not_text: { vi: "Giá trị phải là một chuỗi ký tự.", en: "Expected a string." },
  not_well_formed: { vi: "Chứa ký tự Unicode không hợp lệ.", en: "Contains invalid Unicode (a lone surrogate)." },
  user_name_empty: { vi: "Tên không được để trống.", en: "The name must not be empty." },
  user_name_too_long: { vi: "Tên không được dài quá 64 ký tự.", en: "The name must have at most 64 characters." },
  user_name_control_characters: {
    vi: "Tên không được chứa ký tự điều khiển, ký tự xuống dòng hoặc ký tự đổi chiều văn bản.",
    en: "The name must not contain control characters, line breaks or characters that change the text's direction.",
  },
  user_name_invisible: {
    vi: "Tên phải có ít nhất một ký tự hiển thị được.",
    en: "The name must have at least one visible character.",
  },
  user_name_hidden_characters: {
    vi: "Tên không được chứa ký tự ẩn.",
    en: "The name must not contain characters that cannot be seen.",
  },
  user_name_marks: {
    vi: "Tên không được có nhiều dấu chồng lên nhau, hoặc dấu không gắn với chữ nào.",
    en: "The name must not pile up combining marks, nor have one without a letter.",
  },
  user_name_mixed_scripts: {
    vi: "Mỗi từ trong tên chỉ được dùng một hệ chữ viết; chữ Latinh có thể đi cùng chữ Hán, Nhật hoặc Hàn.",
    en: "Each word of the name must be in one script; only Chinese, Japanese and Korean may be mixed with Latin letters.",
  },
  user_name_reserved: {
    vi: "Tên này được dành riêng cho người vận hành dịch vụ. Vui lòng chọn tên khác.",
    en: "This name is reserved for those who run the service. Please choose another one.",
  },
  email_invalid: {
    vi: "Vui lòng nhập đúng một địa chỉ email, ví dụ ten@example.com.",
    en: "Enter exactly one email address, such as name@example.com.",
  },
  email_too_long: {
    vi: "Email không được dài quá 254 ký tự.",
    en: "The email address must have at most 254 characters.",
  },
  email_local_part_not_ascii: {
    vi: "Phần trước dấu @ chỉ được gồm chữ cái không dấu, chữ số và ký hiệu ASCII.",
    en: "The part before the @ must be ASCII: not every mail server accepts other characters.",
  },
  password_too_short: { vi: "Mật khẩu cần ít nhất 12 ký tự.", en: "The password needs at least 12 characters." },
  password_too_long: {
    vi: "Mật khẩu không được dài quá 128 ký tự.",
    en: "The password must have at most 128 characters.",
  },
  password_common: {
    vi: "Mật khẩu này quá phổ biến và dễ bị đoán ra. Hãy thử ghép vài từ không liên quan đến nhau.",
    en: "This password is one of the most common ones and easily guessed. Try several unrelated words instead.",
  },
  password_run: {
    vi: "Mật khẩu không được chỉ gồm một ký tự lặp lại, khoảng trắng hoặc một dãy ký tự liên tiếp. Hãy thử ghép vài từ không liên quan đến nhau.",
    en: "The password must not be one repeated character, only spaces or a sequence. Try several unrelated words instead.",
  },
  client_invalid: {
    vi: "Giá trị phải là một chuỗi từ 1 đến 128 ký tự.",
    en: "Expected a string of 1 to 128 characters.",
  },
  password_personal: {
    vi: "Mật khẩu không được trùng với địa chỉ email, tên của bạn hoặc tên dịch vụ. Hãy thử ghép vài từ không liên quan đến nhau.",
    en: "The password must not be your email address, your name or the service's name. Try several unrelated words instead.",
  },
  transaction_id_invalid: {
    vi: "Mã giao dịch phải gồm từ 1 đến 128 ký tự ASCII hiển thị được, không chứa khoảng trắng.",
    en: "The transaction id must be 1 to 128 visible ASCII characters, without spaces.",
  },
  user_id_invalid: { vi: "Mã người dùng phải là một UUID.", en: "The user id must be a UUID." },
  amount_invalid: {
    vi: "Số tiền phải là số nguyên lớn hơn 0, tính theo đơn vị nhỏ nhất của đồng tiền.",
    en: "The amount must be a whole number above 0, in minor units of the currency.",
  },
  currency_unknown: {
    vi: "Đơn vị tiền tệ phải là mã ISO 4217 viết hoa, ví dụ VND.",
    en: "The currency must be an ISO 4217 code in capitals, such as VND.",
  },
  locale_unknown: { vi: "Ngôn ngữ phải là vi hoặc en.", en: "The locale must be vi or en." },
} as const satisfies Record<string, Readonly<Record<Locale, string>>>;

export type FaultCode = keyof typeof FAULTS;

/** What a fault is called in one language. */
export const faultText = (code: FaultCode, language: Locale): string => FAULTS[code][language];

/** Every code of a fault. */
export const FAULT_CODES: readonly string[] = Object.keys(FAULTS);

const isFaultCode = (text: string): text is FaultCode => Object.hasOwn(FAULTS, text);

/** The fault at a path of the body. A message that is none of our codes would be a bug in the schema; it is shown as is. */
export const faultAt = (path: readonly PropertyKey[], code: string): FieldFault => ({
  pointer: ["#", ...path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1"))].join("/"),
  code,
  detail: isFaultCode(code) ? FAULTS[code] : { vi: code, en: code },
});

/** A body that a schema has checked. */
export type Parsed<Input> =
  | { readonly kind: "valid"; readonly input: Input }
  | { readonly kind: "invalid"; readonly faults: readonly FieldFault[] };

/** Checks a body by a schema whose messages are codes, and reports all its faults at once. */
export const parseBy = <Input>(schema: z.ZodType<Input>, body: unknown): Parsed<Input> => {
  const parsed = schema.safeParse(body);
  return parsed.success
    ? { kind: "valid", input: parsed.data }
    : { kind: "invalid", faults: parsed.error.issues.map((issue) => faultAt(issue.path, issue.message)) };
};
