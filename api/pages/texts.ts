import type { Locale } from "../../stream/events/user-signed-up.ts";

/** All texts of the signup page and of what follows it, in one language. */
export interface Texts {
  readonly language: string;
  readonly otherLanguage: string;
  readonly signUp: string;
  readonly lead: string;
  readonly userName: string;
  readonly userNameHint: string;
  readonly email: string;
  /** Around the address that was probably meant. */
  readonly didYouMean: readonly [string, string];
  readonly password: string;
  readonly passwordHint: string;
  readonly showPassword: string;
  readonly hidePassword: string;
  /** What a password must be, as one types. Which ones are common only the server knows. */
  readonly rules: Readonly<Record<"length" | "password_run" | "password_personal", string>>;
  readonly submit: string;
  readonly submitting: string;
  /** Before the title of a page with a fault. */
  readonly errorPrefix: string;
  readonly fixErrors: string;
  readonly to: string;
  readonly timeline: string;
  /** Around a duration: how long after the signup. */
  readonly after: readonly [string, string];
  /** Around a duration that counts: since the signup, while the mail is on its way. */
  readonly onItsWay: readonly [string, string];
  /** Around a duration that counts: since the mail was sent. */
  readonly ago: readonly [string, string];
  readonly nextTry: string;
  readonly nextSteps: string;
  readonly openInbox: (provider: string) => string;
  readonly openAnyInbox: string;
  readonly lookInSpam: string;
  readonly resend: string;
  readonly resendSoon: string;
  readonly wrongAddress: string;
  readonly signUpAgain: string;
  readonly updatesItself: string;
  readonly stopUpdates: string;
  readonly resumeUpdates: string;
  readonly notFoundTitle: string;
  /** The heading of a problem; its title is in English, and never changes. */
  readonly problemTitle: (problem: { readonly status: number; readonly title: string }) => string;
  readonly backToSignup: string;
  readonly timeZone: string;
  readonly dateLocale: string;
}

export const TEXTS: Readonly<Record<Locale, Texts>> = {
  vi: {
    language: "Tiếng Việt",
    otherLanguage: "English",
    signUp: "Tạo tài khoản",
    lead: "Chỉ mất một phút. Thư chào mừng sẽ đến hộp thư của bạn sau vài giây.",
    userName: "Tên người dùng",
    userNameHint: "Tối đa 64 ký tự.",
    email: "Email",
    didYouMean: ["Có phải ý bạn là ", "?"],
    password: "Mật khẩu",
    passwordHint: "Từ 12 đến 128 ký tự. Vài từ không liên quan đến nhau là đủ.",
    showPassword: "Hiện mật khẩu",
    hidePassword: "Ẩn mật khẩu",
    rules: {
      length: "Từ 12 đến 128 ký tự",
      password_run: "Không phải một dãy liên tiếp hay vài ký tự lặp lại",
      password_personal: "Không trùng với email, tên của bạn hoặc tên dịch vụ",
    },
    submit: "Đăng ký",
    submitting: "Đang đăng ký…",
    errorPrefix: "Lỗi: ",
    fixErrors: "Chưa thể đăng ký. Vui lòng kiểm tra lại các mục sau:",
    to: "Gửi tới",
    timeline: "Hành trình của thư",
    after: ["sau ", ""],
    onItsWay: ["Thư đã lên đường được ", ""],
    ago: ["", " trước"],
    nextTry: "Lần gửi tiếp theo",
    nextSteps: "Bước tiếp theo",
    openInbox: (provider) => `Mở ${provider}`,
    openAnyInbox: "Mở hộp thư của bạn và làm theo hướng dẫn trong thư.",
    lookInSpam: "Không thấy thư? Hãy kiểm tra cả thư mục thư rác.",
    resend: "Gửi lại thư xác nhận",
    resendSoon: "Có thể gửi lại thư sau",
    wrongAddress: "Nhập sai địa chỉ? Hãy đăng ký lại với địa chỉ đúng và một tên người dùng khác.",
    signUpAgain: "Đăng ký lại",
    updatesItself: "Trang này tự động cập nhật.",
    stopUpdates: "Tắt tự động cập nhật",
    resumeUpdates: "Bật lại tự động cập nhật",
    notFoundTitle: "Không tìm thấy",
    problemTitle: ({ status }) => `Lỗi ${status}`,
    backToSignup: "Quay lại trang đăng ký",
    timeZone: "Asia/Ho_Chi_Minh",
    dateLocale: "vi-VN",
  },
  en: {
    language: "English",
    otherLanguage: "Tiếng Việt",
    signUp: "Create your account",
    lead: "It takes a minute. The welcome mail follows within seconds.",
    userName: "User name",
    userNameHint: "At most 64 characters.",
    email: "Email",
    didYouMean: ["Did you mean ", "?"],
    password: "Password",
    passwordHint: "12 to 128 characters. A few unrelated words will do.",
    showPassword: "Show password",
    hidePassword: "Hide password",
    rules: {
      length: "12 to 128 characters",
      password_run: "Not a sequence, nor a few characters repeated",
      password_personal: "Not your email address or name, nor the service's name",
    },
    submit: "Sign up",
    submitting: "Signing up…",
    errorPrefix: "Error: ",
    fixErrors: "You are not signed up yet. Please correct the following:",
    to: "To",
    timeline: "The mail's journey",
    after: ["after ", ""],
    onItsWay: ["On its way for ", ""],
    ago: ["", " ago"],
    nextTry: "Next attempt",
    nextSteps: "What to do next",
    openInbox: (provider) => `Open ${provider}`,
    openAnyInbox: "Open your inbox and follow the mail.",
    lookInSpam: "No mail? Check the spam folder, too.",
    resend: "Send the confirmation again",
    resendSoon: "You can have it sent again in",
    wrongAddress: "Wrong address? Sign up again with the right one, and another user name.",
    signUpAgain: "Sign up again",
    updatesItself: "This page updates itself.",
    stopUpdates: "Stop updating",
    resumeUpdates: "Resume updating",
    notFoundTitle: "Not found",
    problemTitle: ({ status, title }) => `${status} ${title}`,
    backToSignup: "Back to the signup page",
    timeZone: "UTC",
    dateLocale: "en-GB",
  },
};

/** A time as people read it, with its time zone; the page's script writes it in the reader's own. */
export const formatTime = (iso: string, { dateLocale, timeZone }: Texts): string =>
  new Intl.DateTimeFormat(dateLocale, {
    dateStyle: "short",
    timeStyle: "long",
    timeZone,
  }).format(new Date(iso));
