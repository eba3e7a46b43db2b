# The page for many visitors: docker build -t leaps . && docker run -p 7860:7860 -v leaps:/data leaps
# For PyTorch's much smaller CPU build: --build-arg PIP_EXTRA_INDEX_URL=... (see the top of requirements.txt).
FROM python:3.12-slim

ARG PIP_EXTRA_INDEX_URL=
WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN PIP_EXTRA_INDEX_URL="$PIP_EXTRA_INDEX_URL" pip install --no-cache-dir -r requirements.txt -c constraints.txt

COPY app.py README.md LICENSE ./
COPY app app
COPY assets assets
COPY leaps_core leaps_core

# what is kept lies in /data: runs, banks, downloaded weights
ENV LEAPS_HOME=/data/leaps TORCH_HOME=/data/torch HF_HOME=/data/huggingface \
    GRADIO_TEMP_DIR=/data/uploads NUMBA_CACHE_DIR=/data/numba GRADIO_ANALYTICS_ENABLED=False HF_HUB_DISABLE_TELEMETRY=1
RUN useradd --uid 1000 leaps && mkdir /data && chown leaps /data
USER 1000
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/healthz', timeout=5)"]
CMD ["python", "app.py", "--host", "0.0.0.0"]
