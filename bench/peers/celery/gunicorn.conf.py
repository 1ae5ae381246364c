import os

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = os.cpu_count()
worker_class = "uvicorn.workers.UvicornWorker"
