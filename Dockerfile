# Two images of one project: `train` with everything, `serve` with what answers requests and no torch.
#   docker build --target serve -t dc3-serve .
#   docker run -p 127.0.0.1:3000:3000 -e DC3_API_KEYS=... -v ./model.onnx:/model/model.onnx:ro dc3-serve

FROM python:3.11-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 10001 dc3
WORKDIR /app


FROM base AS train
COPY constraints.txt pyproject.toml LICENSE README.md ./
COPY data data
COPY dc3 dc3
COPY relabel relabel
COPY serving serving
COPY training training
COPY tuning tuning
COPY web web
RUN pip install --constraint constraints.txt .
# Runs, studies and the banks of features lie below the working directory; mount a volume there to keep them. The weights of
# the preset `features` are in the image; those of timm's hub go to ~/.cache/huggingface: mount a volume there, too.
WORKDIR /data
RUN chown dc3:dc3 /data
USER dc3
# As data/privacy.py has it; here also for a shell in the container, and for `mlflow` itself.
ENV ORT_DISABLE_TELEMETRY=1 MLFLOW_DISABLE_TELEMETRY=true BENTOML_DO_NOT_TRACK=true PYDANTIC_DISABLE_PLUGINS=__all__
ENV HF_HUB_DISABLE_TELEMETRY=1
ENTRYPOINT ["dc3"]
CMD ["--help"]


FROM base AS serve
# On a machine with an NVIDIA GPU: --build-arg ONNXRUNTIME=onnxruntime-gpu[cuda,cudnn], and docker run --gpus all.
ARG ONNXRUNTIME=onnxruntime
COPY constraints.txt serving/requirements.txt ./
RUN grep -vi '^onnxruntime' requirements.txt > packages.txt \
    && echo "${ONNXRUNTIME}" >> packages.txt \
    && pip install --constraint constraints.txt --requirement packages.txt
COPY dc3/__init__.py dc3/serve.py dc3/
COPY data/__init__.py data/certain.py data/cores.py data/privacy.py data/quality.py data/
COPY data/images data/images
COPY serving serving
COPY web web
RUN rm -r serving/export web/canvas.py web/standalone.py web/page.css && mkdir /model
USER dc3
ENV ORT_DISABLE_TELEMETRY=1 BENTOML_DO_NOT_TRACK=true PYDANTIC_DISABLE_PLUGINS=__all__
EXPOSE 3000
# Whoever answers other machines must say who may ask: without DC3_API_KEYS (or --api-keys-file) this does not start.
ENTRYPOINT ["python", "-m", "dc3.serve", "/model/model.onnx", "--host", "0.0.0.0", "--port", "3000"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:3000/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
