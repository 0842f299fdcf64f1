"""llama.cpp's own HTTP server on loopback: llama_server.py MODEL.gguf PORT ALIAS [KEY]. Prints `listening` when it is."""

import sys
import time

import xllamacpp

model, port, alias, *key = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = model
params.n_ctx = 32768  # long enough that an endless answer is still going on when somebody stops it
params.n_parallel = 1
params.hostnames = ["127.0.0.1"]
params.port = int(port)
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.warmup = False
params.use_jinja = True
params.endpoint_metrics = True
params.offline = True
params.model_alias = {alias}
params.api_keys = key
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
while True:
    time.sleep(3600)
