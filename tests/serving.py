"""A server with OpenAI's protocol over a tiny model, which misbehaves on command; it prints its port and serves.

POST /command takes {"faults": [..], "several": .., "key": ..}; each call that comes in then takes one fault. GET /log
gives what came in since the last command. With --plain there is no model and the answer is the prompt again; with
--plain=FILE so, over TLS, with the certificate and key in FILE.
"""

import http.server
import json
import socket
import ssl
import sys
import threading
import time


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.faults, self.calls, self.several, self.key = [], [], "all", None
        self.running = self.most = self.dropped = 0


def model():
    """complete(ids or text, sampling) -> [(text, log-probabilities, finish)]"""
    import jax
    from test_solve import MODEL, SHAPE, TOKENIZER

    from mathjax.model import decoder
    from mathjax.sample.engine import Engine, Request

    engine = Engine(MODEL, decoder.init(MODEL, jax.random.key(0)), **SHAPE)
    lock = threading.Lock()

    def complete(prompt, sampling):
        ids = TOKENIZER.encode(prompt) if isinstance(prompt, str) else prompt
        with lock:
            found = sorted(engine.generate([Request(0, ids)], sampling), key=lambda completion: completion.sample)
        return [(TOKENIZER.decode(c.tokens), c.log_probabilities, c.finish) for c in found]

    return complete


def plain(prompt, sampling):
    return [(str(prompt), (-1.0,) * len(prompt), "stop")] * sampling.samples


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        state = self.server.state
        self.answer(200, {"calls": state.calls, "most": state.most, "dropped": state.dropped})

    def do_POST(self):
        state, body = self.server.state, self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(body)
        if self.path == "/command":
            state.__init__()
            vars(state).update(body)
            return self.answer(200, {})
        told = self.headers.get("Authorization")
        with state.lock:
            state.calls.append({"path": self.path, "body": body, "key": told, "time": time.monotonic()})
            state.running += 1
            state.most = max(state.most, state.running)
            fault = state.faults.pop(0) if state.faults else {}
        try:
            self.serve(state, body, told, fault)
        except OSError:
            state.dropped += 1
        finally:
            state.running -= 1

    def serve(self, state, body, told, fault):
        time.sleep(fault.get("slow", 0))
        if fault.get("drop"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif "status" in fault:
            self.answer(fault["status"], fault.get("body", {"error": {"message": "as told"}}), fault.get("headers", {}))
        elif state.key and told != f"Bearer {state.key}":
            self.answer(401, {"error": {"message": f"Incorrect API key provided: {told}", "code": "invalid_api_key"}})
        elif body["model"] != "tiny":
            self.answer(404, {"error": {"message": f"The model `{body['model']}` does not exist", "code": 404}})
        elif state.several == "refused" and body.get("n", 1) > 1:
            self.answer(400, {"detail": "Only one completion choice is allowed"})
        else:
            self.complete(state, body, fault)

    def complete(self, state, body, fault):
        from mathjax import config

        count = 1 if state.several == "ignored" else body.get("n", 1) - bool(fault.get("fewer"))
        names = ("max_tokens", "temperature", "top_p", "seed")
        sampling = config.Sampling(samples=count, **{name: body[name] for name in names})
        chat = self.path.endswith("/chat/completions")
        prompt = body["messages"][-1]["content"] if chat else body["prompt"]
        choices, made = [], 0
        for index, (text, values, finish) in enumerate(self.server.complete(prompt, sampling)):
            choice = {"index": index, "finish_reason": finish}
            choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
            if body.get("logprobs"):
                content = {"content": [{"token": "?", "logprob": value} for value in values]}
                choice["logprobs"] = content if chat else {"token_logprobs": list(values)}
            choices.append(choice)
            made += len(values)
        answer = {"choices": choices[::-1], "usage": {"prompt_tokens": len(prompt), "completion_tokens": made}}
        self.answer(200, fault.get("instead", answer), cut=fault.get("cut", 0))
        self.close_connection = self.close_connection or bool(fault.get("hang_up"))  # unsaid

    def answer(self, status, what, headers=None, cut=0):
        data = what.encode() if isinstance(what, str) else json.dumps(what).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - cut])
        if cut:
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, *_):
        """A client that hangs up is no news."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    option, _, certificate = "".join(sys.argv[1:]).partition("=")
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.state, server.complete = State(), plain if option else model()
    print(server.server_address[1], flush=True)
    server.serve_forever()
