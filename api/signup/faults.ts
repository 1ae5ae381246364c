import type { Locale } from "../../stream/event.ts";
import type { FieldFault } from "../problem.ts";

/** What can be wrong with a field of a signup, told in both languages. The codes are part of the contract. */
const FAULTS = {
  not_an_object: { vi: "Cần một đối tượng JSON.", en: "Expected a JSON object." },
  required: { vi: "Mục này là bắt buộc.", en: "This field is required." },
  not_text: { vi: "Cần một chuỗi ký tự.", en: "Expected a string." },
  not_well_formed: { vi: "Chứa mã Unicode không hợp lệ.", en: "Contains broken Unicode (a lone surrogate)." },
  user_name_empty: { vi: "Tên không được để trống.", en: "The name must not be empty." },
  user_name_too_long: { vi: "Tên dài tối đa 64 ký tự.", en: "The name has at most 64 characters." },
  user_name_control_characters: {
    vi: "Tên không được chứa ký tự điều khiển, xuống dòng hoặc đổi chiều chữ.",
    en: "The name must not contain control characters, line breaks or characters that change the text's direction.",
  },
  user_name_invisible: {
    vi: "Tên phải có ít nhất một ký tự nhìn thấy được.",
    en: "The name needs at least one visible character.",
  },
  email_invalid: {
    vi: "Cần đúng một địa chỉ email, ví dụ ten@example.com.",
    en: "Expected exactly one email address, such as name@example.com.",
  },
  email_too_long: { vi: "Email dài tối đa 254 ký tự.", en: "The email address has at most 254 characters." },
  email_local_part_not_ascii: {
    vi: "Phần trước dấu @ chỉ được gồm chữ cái không dấu, chữ số và ký hiệu ASCII.",
    en: "The part before the @ must be ASCII: not every mail server takes other characters.",
  },
  password_too_short: { vi: "Mật khẩu cần ít nhất 12 ký tự.", en: "The password needs at least 12 characters." },
  password_too_long: { vi: "Mật khẩu dài tối đa 128 ký tự.", en: "The password has at most 128 characters." },
  locale_unknown: { vi: "Ngôn ngữ phải là vi hoặc en.", en: "The locale is vi or en." },
} as const satisfies Record<string, Readonly<Record<Locale, string>>>;

export type FaultCode = keyof typeof FAULTS;

const isFaultCode = (text: string): text is FaultCode => Object.hasOwn(FAULTS, text);

/** The fault at a path of the body. A message that is no code of ours would be a slip of the schema; it is told as is. */
export const faultAt = (path: readonly PropertyKey[], code: string): FieldFault => ({
  pointer: ["#", ...path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1"))].join("/"),
  code,
  detail: isFaultCode(code) ? FAULTS[code] : { vi: code, en: code },
});
