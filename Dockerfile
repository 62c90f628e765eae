# syntax=docker/dockerfile:1
# Two stages: the first builds the environment, the second carries only that, PostgreSQL's tools for backups, and a user
# without rights. deploy/gpu.Dockerfile adds what GPU workers need.

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/default.txt requirements/default.txt
RUN python -m venv /opt/headstone && \
    /opt/headstone/bin/pip install --no-deps --require-hashes -r requirements/default.txt
COPY . .
RUN /opt/headstone/bin/pip install --no-deps --no-build-isolation . && \
    /opt/headstone/bin/pip uninstall --yes editables hatchling pathspec pluggy trove-classifiers

FROM python:3.12-slim-bookworm
# pg_dump and pg_restore must not be older than the server: both are 15, as in deploy/compose.yaml
RUN apt-get update && \
    apt-get install --yes --no-install-recommends postgresql-client-15=15.* && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 10001 --create-home --home-dir /var/lib/headstone headstone
COPY --from=build /opt/headstone /opt/headstone
ENV PATH=/opt/headstone/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 HEADSTONE_DATA_DIR=/var/lib/headstone/data
# The working directory comes first on Python's path: keep it free of folders named like our packages.
WORKDIR /var/lib/headstone
USER 10001
VOLUME /var/lib/headstone
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["headstone"]
# Anything but loopback asks for API keys: mount them and name the file in HEADSTONE_API_KEYS_FILE (see README).
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
