"""A server on this machine that speaks the OpenAI chat form, and does what the last message asks for; it counts what it is asked."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def completion(text: str | None, **message: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
    return {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


class Chat:
    """What a test sees of the server.

    A last message of `429 twice` is refused twice and then answered, `500` always fails, `429 for 0.3`
    asks to be left alone so long, `garbage` is answered with HTML, `cut` with half an answer, `never` not at all; anything else is
    repeated. A simulated failure is met, and said to be, where the message says `meets`; it gets through where it says `breaks`.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.requests: list[dict[str, Any]] = []
        self.is_over = threading.Event()
        self.lock = threading.Lock()

    def reply(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        text = body["messages"][-1]["content"]
        with self.lock:
            self.asked[text] += 1
            self.requests.append({"body": body, "headers": headers})
        word, _, rest = text.partition(" ")
        met = {"X-Golden-Fault-Met": headers["x-golden-fault"]} if "x-golden-fault" in headers and word in ("meets", "breaks") else {}
        if word == "never":
            self.is_over.wait(60)
        if word == "garbage":
            return 200, {}, b"<html>busy</html>"
        if word == "breaks":
            return 503, met, b"{}"
        if word.isdigit() and (rest != "twice" or self.asked[text] <= 2):
            return int(word), {"Retry-After": rest.removeprefix("for ")} if rest.startswith("for ") else {}, b'{"error": "SECRET"}'
        return 200, met, json.dumps(completion(f"you said {text}")).encode()


@contextmanager
def chat_server() -> Iterator[Chat]:
    chat = Chat()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers, content = chat.reply(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            is_cut = body["messages"][-1]["content"] == "cut"
            self.wfile.write(content[: len(content) // 2] if is_cut else content)
            if is_cut:
                self.connection.shutdown(2)
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that was killed or gave up is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    chat.url = f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        chat.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()
