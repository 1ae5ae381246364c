"""A signup as a user of FastAPI and Celery writes it: a transaction, then a task. What dies in between has no mail."""

import os
import smtplib
import uuid
from email.message import EmailMessage

from celery import Celery
from fastapi import FastAPI, Response
from passlib.hash import argon2
from pydantic import BaseModel, constr
from sqlalchemy import Column, String, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import declarative_base, sessionmaker

Base = declarative_base()
engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1), pool_size=10, max_overflow=10
)
Session = sessionmaker(engine)
queue = Celery("signups", broker=os.environ["REDIS_URL"])
queue.conf.update(task_ignore_result=True, task_default_queue=os.environ["STREAM_NAME"])
hasher = argon2.using(
    memory_cost=int(os.environ["PASSWORD_HASH_MEMORY_KIB"]),
    rounds=int(os.environ["PASSWORD_HASH_PASSES"]),
    parallelism=1,
)
app = FastAPI()
connection = None


class User(Base):
    __tablename__ = "users"
    id = Column(String, primary_key=True)
    user_name = Column(String, nullable=False, unique=True)
    email = Column(String, nullable=False, unique=True)
    password_hash = Column(String, nullable=False)


class Signup(BaseModel):
    user_name: constr(min_length=1)
    email: constr(min_length=3)
    password: constr(min_length=8)


@app.on_event("startup")
def create_table():
    try:
        Base.metadata.create_all(engine)
    except IntegrityError:
        pass  # Another worker was first.


@app.get("/readyz")
def ready():
    return "ready"


@app.post("/api/v1/user/", status_code=201)
def sign_up(signup: Signup, response: Response):
    user = User(
        id=str(uuid.uuid4()),
        user_name=signup.user_name,
        email=signup.email,
        password_hash=hasher.hash(signup.password),
    )
    user_id = user.id
    try:
        with Session.begin() as session:
            session.add(user)
    except IntegrityError:
        response.status_code = 400
        return {"error": "exists"}
    welcome.delay(signup.user_name, signup.email)
    return {"id": user_id}


@queue.task(autoretry_for=(OSError,), retry_backoff=True, max_retries=10)
def welcome(name: str, address: str):
    global connection
    message = EmailMessage()
    message["From"] = "welcome@toblug.example"
    message["To"] = address
    message["Subject"] = f"Welcome, {name}"
    message.set_content(f"Hello {name},\n\n" + "Welcome to toblug. " * 20)
    message.add_alternative(f"<h1>Hello {name}</h1><p>" + "Welcome to toblug. " * 20 + "</p>", subtype="html")
    if connection is None:
        connection = smtplib.SMTP(os.environ["MAIL_SERVER"], int(os.environ["MAIL_PORT"]))
    try:
        connection.send_message(message)
    except smtplib.SMTPServerDisconnected:
        connection = None
        raise
