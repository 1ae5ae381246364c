import type { EmailState } from "../../database/email-state.ts";
import type { Locale } from "../../stream/event.ts";

/** Everything that a page says, in one language. */
export interface Texts {
  readonly language: string;
  readonly otherLanguage: string;
  readonly signUp: string;
  readonly lead: string;
  readonly userName: string;
  readonly userNameHint: string;
  readonly email: string;
  readonly password: string;
  readonly passwordHint: string;
  readonly submit: string;
  readonly fixErrors: string;
  readonly accountMade: string;
  readonly mailTitle: string;
  readonly timeline: string;
  readonly nextTry: string;
  readonly reason: string;
  readonly attempt: string;
  readonly updatesItself: string;
  readonly stopUpdates: string;
  readonly resumeUpdates: string;
  readonly notFoundTitle: string;
  readonly backToSignup: string;
  /** What a state means to the person who waits for the mail. */
  readonly states: Readonly<Record<EmailState, string>>;
  /** The same in a word or two, for the timeline. */
  readonly steps: Readonly<Record<EmailState, string>>;
  readonly timeZone: string;
  readonly dateLocale: string;
}

export const TEXTS: Readonly<Record<Locale, Texts>> = {
  vi: {
    language: "Tiếng Việt",
    otherLanguage: "English",
    signUp: "Tạo tài khoản",
    lead: "Chỉ mất một phút. Thư chào mừng sẽ được gửi tới hộp thư của bạn.",
    userName: "Tên người dùng",
    userNameHint: "Tối đa 64 ký tự.",
    email: "Email",
    password: "Mật khẩu",
    passwordHint: "Từ 12 đến 128 ký tự.",
    submit: "Đăng ký",
    fixErrors: "Chưa đăng ký được. Vui lòng xem lại các mục sau:",
    accountMade: "Tài khoản đã được tạo",
    mailTitle: "Thư chào mừng",
    timeline: "Diễn biến",
    nextTry: "Lần thử tiếp theo",
    reason: "Lý do",
    attempt: "lần thử",
    updatesItself: "Trang này tự cập nhật.",
    stopUpdates: "Ngừng tự cập nhật",
    resumeUpdates: "Tự cập nhật lại",
    notFoundTitle: "Không tìm thấy",
    backToSignup: "Về trang đăng ký",
    states: {
      queued: "Thư chào mừng đang chờ được gửi.",
      sending: "Thư chào mừng đang được gửi.",
      retrying: "Chưa gửi được thư. Hệ thống sẽ tự thử lại.",
      uncertain: "Chưa rõ thư đã được gửi hay chưa. Hệ thống đang xử lý.",
      held: "Thư đang được giữ lại để người vận hành kiểm tra.",
      sent: "Thư chào mừng đã được gửi. Hãy kiểm tra hộp thư của bạn.",
      dead: "Không gửi được thư chào mừng. Tài khoản của bạn vẫn dùng được.",
      suppressed: "Thư không được gửi vì địa chỉ này không nhận được thư. Tài khoản của bạn vẫn dùng được.",
      cancelled: "Thư đã bị huỷ vì tài khoản không còn.",
    },
    steps: {
      queued: "Đang chờ",
      sending: "Đang gửi",
      retrying: "Sẽ thử lại",
      uncertain: "Chưa rõ",
      held: "Được giữ lại",
      sent: "Đã gửi",
      dead: "Không gửi được",
      suppressed: "Không gửi",
      cancelled: "Đã huỷ",
    },
    timeZone: "Asia/Ho_Chi_Minh",
    dateLocale: "vi-VN",
  },
  en: {
    language: "English",
    otherLanguage: "Tiếng Việt",
    signUp: "Create your account",
    lead: "It takes a minute. A welcome mail will come to your inbox.",
    userName: "User name",
    userNameHint: "At most 64 characters.",
    email: "Email",
    password: "Password",
    passwordHint: "12 to 128 characters.",
    submit: "Sign up",
    fixErrors: "You are not signed up yet. Please look at the following:",
    accountMade: "Your account is ready",
    mailTitle: "Welcome mail",
    timeline: "What happened",
    nextTry: "Next try",
    reason: "Reason",
    attempt: "try",
    updatesItself: "This page updates itself.",
    stopUpdates: "Stop updating",
    resumeUpdates: "Update again",
    notFoundTitle: "Not found",
    backToSignup: "To the signup page",
    states: {
      queued: "The welcome mail is waiting to be sent.",
      sending: "The welcome mail is being sent.",
      retrying: "The mail could not be sent yet. It will be tried again by itself.",
      uncertain: "It is not known yet whether the mail went out. It is being taken care of.",
      held: "The mail is held until an operator has looked at it.",
      sent: "The welcome mail is sent. Please look into your inbox.",
      dead: "The welcome mail could not be sent. Your account works all the same.",
      suppressed: "The mail is not sent because this address does not take mail. Your account works all the same.",
      cancelled: "The mail is cancelled because the account is gone.",
    },
    steps: {
      queued: "Waiting",
      sending: "Sending",
      retrying: "Will try again",
      uncertain: "Not known",
      held: "Held",
      sent: "Sent",
      dead: "Not sent",
      suppressed: "Not sent",
      cancelled: "Cancelled",
    },
    timeZone: "UTC",
    dateLocale: "en-GB",
  },
};

/** A moment as people read it, with its time zone. */
export const formatTime = (iso: string, { dateLocale, timeZone }: Texts): string =>
  new Intl.DateTimeFormat(dateLocale, {
    dateStyle: "short",
    timeStyle: "long",
    timeZone,
  }).format(new Date(iso));
