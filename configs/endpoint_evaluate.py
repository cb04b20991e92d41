"""GSM8K's test, answered by a server with OpenAI's protocol: vLLM, SGLang, llama.cpp, a hosted model.

    python scripts/evaluate.py --config=configs/endpoint_evaluate.py --config.endpoint.url=http://localhost:8000/v1 \\
        --config.endpoint.model=NAME --workdir=runs/gsm8k/NAME

The records are those of configs/gsm8k_evaluate.py. --config.endpoint.key=VARIABLE names the environment variable that
holds the key, where the server wants one. Models that chat are asked with --config.template=chat.
"""

from mathjax.config import Benchmark, Endpoint, Evaluate, Sampling


def get_config():
    return Evaluate(
        endpoint=Endpoint(url="http://localhost:8000/v1", model="Qwen/Qwen3-8B"),
        benchmarks=[Benchmark(name="gsm8k", path="runs/gsm8k/test/records.jsonl", kind="gsm8k")],
        template="chat_boxed",
        sampling=Sampling(max_tokens=1024),
        title="GSM8K",
    )
