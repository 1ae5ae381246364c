import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { ShownState } from "../../stream/groups.ts";

/** All texts of the pages, in one language. */
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
  readonly updatesItself: string;
  readonly stopUpdates: string;
  readonly resumeUpdates: string;
  readonly notFoundTitle: string;
  readonly backToSignup: string;
  /** What a state means to the person who is waiting for the mail. */
  readonly states: Readonly<Record<ShownState, string>>;
  /** The same in a few words, for the timeline. */
  readonly steps: Readonly<Record<ShownState, string>>;
  readonly timeZone: string;
  readonly dateLocale: string;
}

export const TEXTS: Readonly<Record<Locale, Texts>> = {
  vi: {
    language: "Tiếng Việt",
    otherLanguage: "English",
    signUp: "Tạo tài khoản",
    lead: "Chỉ mất một phút. Chúng tôi sẽ gửi thư chào mừng tới hộp thư của bạn.",
    userName: "Tên người dùng",
    userNameHint: "Tối đa 64 ký tự.",
    email: "Email",
    password: "Mật khẩu",
    passwordHint: "Từ 12 đến 128 ký tự.",
    submit: "Đăng ký",
    fixErrors: "Chưa thể đăng ký. Vui lòng kiểm tra lại các mục sau:",
    accountMade: "Tài khoản của bạn đã được tạo",
    mailTitle: "Thư chào mừng",
    timeline: "Lịch sử gửi thư",
    nextTry: "Lần gửi tiếp theo",
    updatesItself: "Trang này tự động cập nhật.",
    stopUpdates: "Tắt tự động cập nhật",
    resumeUpdates: "Bật lại tự động cập nhật",
    notFoundTitle: "Không tìm thấy",
    backToSignup: "Quay lại trang đăng ký",
    states: {
      queued: "Thư chào mừng đang chờ được gửi.",
      active: "Đang được xử lý.",
      processing: "Đang được xử lý.",
      sending: "Thư chào mừng đang được gửi.",
      retrying: "Chưa gửi được thư chào mừng. Hệ thống sẽ tự động gửi lại.",
      uncertain: "Chưa rõ thư đã được gửi hay chưa. Hệ thống đang kiểm tra.",
      held: "Thư đang được tạm giữ, và sẽ được gửi sau hoặc khi quản trị viên đã kiểm tra.",
      done: "Đã hoàn tất.",
      completed: "Đã hoàn tất.",
      sent: "Thư chào mừng đã được gửi. Máy chủ thư đã tiếp nhận thư; bạn hãy kiểm tra hộp thư đến và cả mục thư rác.",
      dead: "Không thể gửi thư chào mừng. Tài khoản của bạn vẫn hoạt động bình thường.",
      suppressed:
        "Thư chào mừng không được gửi vì địa chỉ này không nhận được thư. Tài khoản của bạn vẫn hoạt động bình thường.",
      cancelled: "Thư chào mừng đã bị huỷ vì tài khoản không còn tồn tại.",
    },
    steps: {
      queued: "Đang chờ",
      active: "Đang xử lý",
      processing: "Đang xử lý",
      sending: "Đang gửi",
      retrying: "Sẽ gửi lại",
      uncertain: "Chưa rõ kết quả",
      held: "Đang tạm giữ",
      done: "Hoàn tất",
      completed: "Hoàn tất",
      sent: "Đã gửi (máy chủ thư đã tiếp nhận)",
      dead: "Gửi thất bại",
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
    lead: "It takes a minute. We will send a welcome mail to your inbox.",
    userName: "User name",
    userNameHint: "At most 64 characters.",
    email: "Email",
    password: "Password",
    passwordHint: "12 to 128 characters.",
    submit: "Sign up",
    fixErrors: "You are not signed up yet. Please correct the following:",
    accountMade: "Your account is ready",
    mailTitle: "Welcome mail",
    timeline: "History",
    nextTry: "Next attempt",
    updatesItself: "This page updates itself.",
    stopUpdates: "Stop updating",
    resumeUpdates: "Resume updating",
    notFoundTitle: "Not found",
    backToSignup: "Back to the signup page",
    states: {
      queued: "The welcome mail is waiting to be sent.",
      active: "It is being worked on.",
      processing: "It is being worked on.",
      sending: "The welcome mail is being sent.",
      retrying: "The mail could not be sent yet. It will be retried automatically.",
      uncertain: "It is not yet known whether the mail was sent. We are checking.",
      held: "The mail is on hold. It will be sent later, or once an operator has checked it.",
      done: "It is done.",
      completed: "It is done.",
      sent: "The welcome mail is sent. The mail server has accepted it; please check your inbox, and the spam folder.",
      dead: "The welcome mail could not be sent. Your account still works.",
      suppressed: "The mail was not sent because this address does not accept mail. Your account still works.",
      cancelled: "The mail was cancelled because the account no longer exists.",
    },
    steps: {
      queued: "Waiting",
      active: "In progress",
      processing: "In progress",
      sending: "Sending",
      retrying: "Will retry",
      uncertain: "Unknown",
      held: "Held",
      done: "Done",
      completed: "Done",
      sent: "Sent (accepted by the mail server)",
      dead: "Not sent",
      suppressed: "Not sent",
      cancelled: "Cancelled",
    },
    timeZone: "UTC",
    dateLocale: "en-GB",
  },
};

/** A time as people read it, with its time zone. */
export const formatTime = (iso: string, { dateLocale, timeZone }: Texts): string =>
  new Intl.DateTimeFormat(dateLocale, {
    dateStyle: "short",
    timeStyle: "long",
    timeZone,
  }).format(new Date(iso));
