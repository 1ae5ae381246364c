"""The task of the old service, as it was: what `ops import celery` takes over from. BROKER, SMTP_PORT: where to; RESULTS, if elsewhere."""

import os
import smtplib
import ssl
import time
from email.message import EmailMessage

import redis
from celery import Celery

BROKER = os.environ["BROKER"]
AUTHORITIES = os.environ.get("AUTHORITIES")
app = Celery("app", broker=BROKER, backend=os.environ.get("RESULTS", BROKER))
if AUTHORITIES:
    app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": AUTHORITIES}
app.conf.timezone = "Asia/Ho_Chi_Minh"
app.conf.task_track_started = os.environ.get("TRACK_STARTED") == "yes"
if os.environ.get("PROTOCOL") == "1":
    app.conf.task_protocol = 1
if os.environ.get("ACKS_LATE") == "yes":
    app.conf.task_acks_late = True
marks = redis.Redis.from_url(BROKER, **({"ssl_ca_certs": AUTHORITIES} if AUTHORITIES else {}))


@app.task(bind=True, name="app.tasks.send_email_welcome", max_retries=3, default_retry_delay=30)
def send_email_welcome(self, email_to, username):
    mark = f"email_sent:{self.request.id}"
    if marks.get(mark):
        return "sent before"
    if email_to.startswith("retry"):
        raise self.retry(exc=smtplib.SMTPException("421 later"), countdown=600)
    if email_to.startswith("hang"):
        time.sleep(600)
    message = EmailMessage()
    message["From"] = "welcome@toblug.example"
    message["To"] = email_to
    message["Subject"] = f"Welcome {username}"
    message.set_content("Welcome")
    with smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"]), timeout=30) as smtp:
        smtp.send_message(message)
    marks.setex(mark, 86400, "1")
    return "sent"


@app.task(name="legacy.tasks.send_email_welcome")
def send_email_welcome_once(email_to, username):
    return send_email_welcome(email_to, username)


@app.task(name="app.tasks.resize_avatar")
def resize_avatar(user_id):
    return user_id


if __name__ == "__main__":
    # Calls on standard input, as JSON: [task, args, kwargs, options].
    import json
    import sys

    for task, args, kwargs, options in json.load(sys.stdin):
        app.send_task(task, args, kwargs, **options)
